"""Bayesian optimisation: a Gaussian process on one-hot encodings, and the candidate of largest expected improvement.

Jones et al. 1998, https://doi.org/10.1023/A:1008306431147, equation 15; Snoek et al. 2012,
https://arxiv.org/abs/1206.2944, for the Matern 5/2 kernel.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveInt
from scipy.special import ndtr

from nasctl import walk
from nasctl.core import Architecture, Candidate, Choices, Feasible, State
from nasctl.strategy._black_box import Remembering

Array = NDArray[np.float64]


class Bayesian(Remembering):
    """Ask for ``initial`` random architectures, then for the most promising of ``pool`` candidates each time.

    Half of the pool is random, half are mutants of the ``parents`` best trials. The kernel's scale, length
    and noise are fitted to the initial trials, and again after every ``fit_every``. All of it is a function of the
    trials, which are the state.
    """

    def __init__(
        self,
        space: Choices,
        feasible: Feasible,
        seed: int,
        *,
        initial: PositiveInt,
        pool: PositiveInt,
        parents: PositiveInt,
        fit_every: PositiveInt,
        exploration: NonNegativeFloat,
    ) -> None:
        super().__init__(space, feasible, seed)
        self.initial, self.pool, self.parents = initial, pool, parents
        self.fit_every, self.exploration = fit_every, exploration
        self._places = cache(self._decisions)
        self._kernels: dict[int, Any] = {}  # by the number of trials that they were fitted to

    def ask(self) -> Candidate:
        if len(self.trials) < max(self.initial, 2):
            return self.sample()
        candidates = self._candidates()
        return Candidate(candidates[int(np.argmax(self._improvement(candidates)))])

    def _candidates(self) -> list[Architecture]:
        """Return the pool without architectures of earlier trials, unless nothing else is left."""
        best = sorted(self.trials, key=lambda trial: trial[1], reverse=True)[: self.parents]

        def mutant() -> Architecture:
            return walk.mutate(self.space, walk.pick(best, self.generator)[0], self.generator)

        def anywhere() -> Architecture:
            return walk.uniform(self.space, self.generator)

        sampled = [self.first_feasible(mutant if i % 2 else anywhere) for i in range(self.pool)]
        known = {arch for arch, _ in self.trials}
        return [arch for arch in dict.fromkeys(sampled) if arch not in known] or sampled

    def _improvement(self, candidates: list[Architecture]) -> Array:
        """Return the expected improvement of each candidate on the best trial."""
        process = self._process(self._kernel())
        archs, rewards = self._observed(len(self.trials))
        encoded = self._encoded([*archs, *candidates])
        process.fit(encoded[: len(archs)], rewards)
        mean, deviation = process.predict(encoded[len(archs) :], return_std=True)
        gain = mean - self.best.reward - self.exploration
        z = gain / np.maximum(deviation, 1e-12)
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        return np.asarray(gain * ndtr(z) + deviation * density)

    def _kernel(self) -> Any:
        """Return the kernel, its parameters fitted to the initial trials, or to more up to a whole ``fit_every``."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        count = max(len(self.trials) // self.fit_every * self.fit_every, min(self.initial, len(self.trials)), 2)
        if count not in self._kernels:
            start = ConstantKernel(1.0) * Matern(2.0, (0.1, 100.0), nu=2.5) + WhiteKernel(0.1, (1e-6, 10.0))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # a parameter at its bound will do
                archs, rewards = self._observed(count)
                fitted = self._process(start, "fmin_l_bfgs_b").fit(self._encoded(archs), rewards)
                self._kernels = {count: fitted.kernel_}
        return self._kernels[count]

    @staticmethod
    def _process(kernel: Any, optimizer: str | None = None) -> Any:
        from sklearn.gaussian_process import GaussianProcessRegressor  # a second to import

        return GaussianProcessRegressor(kernel, optimizer=optimizer, normalize_y=True)

    def _observed(self, count: int) -> tuple[list[Architecture], Array]:
        archs, rewards = zip(*self.trials[:count], strict=True)
        return list(archs), np.array(rewards)

    def _encoded(self, archs: list[Architecture]) -> Array:
        """Return one-hot rows: a column for each option of each decision that one of ``archs`` takes."""
        met = dict(place for arch in archs for place in self._places(arch))
        ends = np.cumsum([met[place] for place in sorted(met)])
        first = {place: end - met[place] for place, end in zip(sorted(met), ends, strict=True)}
        encoded = np.zeros((len(archs), int(ends[-1])))
        for row, arch in zip(encoded, archs, strict=True):
            row[[first[place] + option for (place, _), option in zip(self._places(arch), arch, strict=True)]] = 1.0
        return encoded

    def _decisions(self, arch: Architecture) -> list[tuple[tuple[int, str], int]]:
        """Return position and kind of each decision that ``arch`` takes, with the number of its options."""
        met = enumerate(walk.decisions(self.space, arch))
        return [((position, decision.kind), len(decision.options)) for position, decision in met]

    def load_state_dict(self, state: State) -> None:
        super().load_state_dict(state)
        self._kernels = {}
