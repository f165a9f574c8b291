"""A strategy: change one decision of the best architecture so far, or with some probability draw any."""

from nasctl import walk
from nasctl.core import Architecture, Candidate, Choices, Feasible
from nasctl.strategy._black_box import BlackBox


class GreedyMutation(BlackBox):
    """Keeps the best trial, as `BlackBox` does; what else changes would belong into ``state_dict``."""

    def __init__(self, space: Choices, feasible: Feasible, seed: int, *, explore: float) -> None:
        super().__init__(space, feasible, seed)
        self.explore = explore

    def ask(self) -> Candidate:
        return Candidate(self.first_feasible(self._propose))

    def _propose(self) -> Architecture:
        if self.best.arch is None or walk.pick(range(1000), self.generator) < 1000 * self.explore:
            return walk.uniform(self.space, self.generator)
        return walk.pick(walk.neighbours(self.space, self.best.arch, self.generator), self.generator)
