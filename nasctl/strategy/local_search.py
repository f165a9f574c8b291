"""Local search: ask for all neighbours of the architecture at hand, move to the best of them, or start again.

White et al. 2021, https://arxiv.org/abs/2005.02960, algorithm 1.
"""

from __future__ import annotations

from nasctl import walk
from nasctl.core import Architecture, Candidate, Choices, Feasible, State, Trial
from nasctl.strategy._black_box import BlackBox


class LocalSearch(BlackBox):
    """Climb from a random architecture to one that no neighbour betters, then from another.

    A neighbour differs in one decision; one that was evaluated before is not asked again. With
    ``first_improvement`` the climb moves to the first better neighbour instead of to the best of all.
    """

    def __init__(self, space: Choices, feasible: Feasible, seed: int, *, first_improvement: bool) -> None:
        super().__init__(space, feasible, seed)
        self.first_improvement = first_improvement
        self.rewards: dict[Architecture, float] = {}
        self.centre: Architecture | None = None  # where the climb stands; None: it starts again
        self.around: list[Architecture] = []  # the neighbours of the centre, in random order
        self.next = 0  # the place among them that is asked next

    def ask(self) -> Candidate:
        return Candidate(self.first_feasible(self._propose))

    def _propose(self) -> Architecture:
        """Return the next neighbour that was not evaluated; where none is left, move or start again."""
        while self.centre is not None:
            while self.next < len(self.around):
                self.next += 1
                if self.around[self.next - 1] not in self.rewards:
                    return self.around[self.next - 1]
            self._move(self._best_around())
        return walk.uniform(self.space, self.generator)

    def _best_around(self) -> Architecture | None:
        """Return the best evaluated neighbour if it is better than the centre."""
        known = [arch for arch in self.around if arch in self.rewards]
        best = max(known, key=self.rewards.__getitem__, default=self.centre)
        return best if best is not None and self._better(best) else None

    def _better(self, arch: Architecture) -> bool:
        return self.centre is not None and self.rewards[arch] > self.rewards[self.centre]

    def _move(self, centre: Architecture | None) -> None:
        self.centre, self.next = centre, 0
        neighbours = walk.neighbours(self.space, centre, self.generator) if centre is not None else []
        order = walk.permutation(len(neighbours), self.generator)
        self.around = [neighbours[i] for i in order]

    def tell(self, trial: Trial) -> None:
        super().tell(trial)
        arch = trial.candidate.arch
        self.rewards[arch] = float("-inf") if trial.reward is None else trial.reward
        if self.centre is None or (self.first_improvement and self._better(arch)):
            self._move(arch)

    def state_dict(self) -> State:
        climb = {
            "rewards": [[list(arch), reward] for arch, reward in self.rewards.items()],
            "centre": None if self.centre is None else list(self.centre),
            "around": [list(arch) for arch in self.around],
            "next": self.next,
        }
        return super().state_dict() | climb

    def load_state_dict(self, state: State) -> None:
        super().load_state_dict(state)
        self.rewards = {tuple(arch): reward for arch, reward in state["rewards"]}
        self.centre = None if state["centre"] is None else tuple(state["centre"])
        self.around, self.next = [tuple(arch) for arch in state["around"]], state["next"]
