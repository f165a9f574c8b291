"""Tree-structured Parzen estimator: ask for what is likely among the good trials and unlikely among the others.

Bergstra et al. 2011, https://papers.nips.cc/paper/4443-algorithms-for-hyper-parameter-optimization, section 4.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field, PositiveFloat, PositiveInt

from nasctl import walk
from nasctl.core import Architecture, Candidate, Choices, Feasible
from nasctl.strategy._black_box import Remembering


class Density:
    """Independent categorical frequencies of each decision's options in ``archs``, smoothed by ``prior`` counts."""

    def __init__(self, archs: Sequence[Architecture], prior: float) -> None:
        self.prior = prior
        self.counts = Counter((place, option) for arch in archs for place, option in enumerate(arch))

    def weights(self, place: int, options: Sequence[int]) -> list[float]:
        """Return the probabilities of the open ``options`` of a decision."""
        counts = [self.counts[place, option] + self.prior for option in options]
        return [count / sum(counts) for count in counts]

    def log(self, space: Choices, arch: Architecture) -> float:
        """Return the log-probability of walking to ``arch``."""
        total = 0.0
        for place, option in enumerate(arch):
            options = list(walk.options(space, arch[:place]))
            total += math.log(self.weights(place, options)[options.index(option)])
        return total


class TPE(Remembering):
    """Ask for ``initial`` random architectures, then for the best of ``pool`` samples of the good trials' density.

    The best ``good`` share of the trials is good; the best sample has the largest ratio of its density among
    these to that among the rest. All of it is a function of the trials, which are the state.
    """

    def __init__(
        self,
        space: Choices,
        feasible: Feasible,
        seed: int,
        *,
        initial: PositiveInt,
        pool: PositiveInt,
        good: Annotated[float, Field(gt=0, lt=1)],
        prior: PositiveFloat,
    ) -> None:
        super().__init__(space, feasible, seed)
        self.initial, self.pool, self.good, self.prior = initial, pool, good, prior

    def ask(self) -> Candidate:
        if len(self.trials) < self.initial:
            return self.sample()
        good, bad = self._densities()
        sampled = [self.first_feasible(lambda: self._walk(good)) for _ in range(self.pool)]
        ratios = {arch: good.log(self.space, arch) - bad.log(self.space, arch) for arch in sampled}
        return Candidate(max(ratios, key=ratios.__getitem__))

    def _densities(self) -> tuple[Density, Density]:
        """Return the densities of the good trials and of the others."""
        ranked = [arch for arch, _ in sorted(self.trials, key=lambda trial: trial[1], reverse=True)]
        count = math.ceil(self.good * len(ranked))
        return Density(ranked[:count], self.prior), Density(ranked[count:], self.prior)

    def _walk(self, density: Density) -> Architecture:
        def take(prefix: Sequence[int], options: Sequence[int]) -> int:
            weights = torch.tensor(density.weights(len(prefix), options), dtype=torch.float64)
            return options[int(torch.multinomial(weights, 1, generator=self.generator))]

        return walk.extend(self.space, (), take, walk.to_the_end)
