"""A sampler of paths of one's own, with a setting and a state."""

from __future__ import annotations

from collections.abc import Sequence

from nasctl.core import Candidate, SearchSpace, State
from nasctl.estimator.sampler import Path, WeightStep


class Repeated:
    """A uniform path, ``times`` steps one after the other."""

    def __init__(self, *, times: int) -> None:
        self.times, self.left = times, 0
        self.arch: tuple[int, ...] = ()

    def check(self, space: SearchSpace) -> None:
        pass

    def paths(self, step: WeightStep) -> Sequence[Path]:
        if not self.left:
            self.arch, self.left = step.uniform(), self.times
        self.left -= 1
        return [(Candidate(self.arch), 1.0)]

    def state_dict(self) -> State:
        return {"arch": list(self.arch), "left": self.left}

    def load_state_dict(self, state: State) -> None:
        self.arch, self.left = tuple(state["arch"]), state["left"]
