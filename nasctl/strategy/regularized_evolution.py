"""Regularized (ageing) evolution: mutate the best of a sample, and let the oldest die.

Real et al. 2019, https://arxiv.org/abs/1802.01548, algorithm 1.
"""

from __future__ import annotations

from collections import deque
from typing import Annotated

import torch
from pydantic import Field, PositiveInt

from nasctl import walk
from nasctl.core import Architecture, Candidate, Choices, Feasible, State, Trial
from nasctl.errors import RequestError
from nasctl.strategy._black_box import BlackBox


class RegularizedEvolution(BlackBox):
    """Keep the last ``population_size`` trials; a child mutates the best of ``sample_size`` of them.

    The sample is drawn with replacement. A mutation changes one decision; with ``identity_probability`` the
    child is its parent again.
    """

    def __init__(
        self,
        space: Choices,
        feasible: Feasible,
        seed: int,
        *,
        population_size: PositiveInt,
        sample_size: PositiveInt,
        identity_probability: Annotated[float, Field(ge=0, le=1)],
    ) -> None:
        super().__init__(space, feasible, seed)
        if sample_size > population_size:
            raise RequestError(
                f"strategy: sample_size ({sample_size}) must be at most population_size ({population_size}); lower it"
            )
        self.sample_size, self.identity_probability = sample_size, identity_probability
        self.population: deque[tuple[Architecture, float]] = deque(maxlen=population_size)

    def ask(self) -> Candidate:
        full = len(self.population) == self.population.maxlen
        return Candidate(self.draw(self._child)) if full else self.sample()

    def _child(self) -> Architecture:
        drawn = walk.picks(self.population, self.sample_size, self.generator)
        parent, _ = max(drawn, key=lambda member: member[1])
        if float(torch.rand((), generator=self.generator)) < self.identity_probability:
            return parent
        return walk.mutate(self.space, parent, self.generator)

    def tell(self, trial: Trial) -> None:
        super().tell(trial)
        if trial.reward is not None:
            self.population.append((trial.candidate.arch, trial.reward))

    def state_dict(self) -> State:
        return super().state_dict() | {"population": [[list(arch), reward] for arch, reward in self.population]}

    def load_state_dict(self, state: State) -> None:
        super().load_state_dict(state)
        self.population.clear()
        self.population.extend((tuple(arch), reward) for arch, reward in state["population"])
