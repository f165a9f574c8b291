"""Enumeration: every feasible architecture once, in lexicographic order, for spaces small enough to know whole."""

from __future__ import annotations

from nasctl import walk
from nasctl.core import Architecture, Candidate, Choices, Feasible, State
from nasctl.errors import ExhaustedError
from nasctl.strategy._black_box import BlackBox


class Enumeration(BlackBox):
    """Walks the space from its first architecture to its last, which ends the search; derives the best.

    The last decision changes fastest. `RequestError` if the whole space holds no feasible architecture.
    """

    def __init__(self, space: Choices, feasible: Feasible, seed: int) -> None:
        super().__init__(space, feasible, seed)
        self.next: Architecture | None = walk.first(space)
        self.asked = 0

    def ask(self) -> Candidate:
        refused: list[Architecture] = []
        while (arch := self.next) is not None:
            self.next = walk.following(self.space, arch)
            if self.feasible(arch):
                self.asked += 1
                return Candidate(arch)
            refused.append(arch)
        raise ExhaustedError if self.asked else self.feasible.refusal(refused)

    def state_dict(self) -> State:
        following = None if self.next is None else list(self.next)
        return super().state_dict() | {"next": following, "asked": self.asked}

    def load_state_dict(self, state: State) -> None:
        super().load_state_dict(state)
        self.next = None if state["next"] is None else tuple(state["next"])
        self.asked = state["asked"]
