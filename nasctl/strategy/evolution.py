"""Evolution: children of selected parents, mutated and perhaps crossed, take the place of those that die.

The settings of regularized evolution are those of Real et al. 2019, https://arxiv.org/abs/1802.01548, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import PositiveInt

from nasctl.core import Architecture, Candidate, Choices, Feasible, Trial
from nasctl.strategy._black_box import Remembering
from nasctl.strategy.crossover import Crossover
from nasctl.strategy.mutation import Mutation
from nasctl.strategy.parent_selection import ParentSelection
from nasctl.strategy.survival import Survival


class Evolution(Remembering):
    """The population ``trials`` starts with ``population_size`` uniform samples; then each trial is a child.

    A failed trial does not enter the population.
    """

    def __init__(
        self,
        space: Choices,
        feasible: Feasible,
        seed: int,
        *,
        population_size: PositiveInt,
        parent_selection: Callable[[int], ParentSelection],
        crossover: Crossover | None,
        mutation: Mutation,
        survival: Survival,
    ) -> None:
        super().__init__(space, feasible, seed)
        self.population_size, self.parent_selection = population_size, parent_selection(population_size)
        self.crossover, self.mutation, self.survival = crossover, mutation, survival

    def ask(self) -> Candidate:
        full = len(self.trials) == self.population_size
        return Candidate(self.first_feasible(self._child)) if full else self.sample()

    def _child(self) -> Architecture:
        child = self._parent()
        if self.crossover is not None:
            child = self.crossover.cross(self.space, child, self._parent(), self.generator)
        return self.mutation.mutate(self.space, child, self.generator)

    def _parent(self) -> Architecture:
        return self.parent_selection.parent(self.trials, self.generator)

    def tell(self, trial: Trial) -> None:
        super().tell(trial)
        if len(self.trials) > self.population_size:
            self.trials.pop(self.survival.dies(self.trials))
