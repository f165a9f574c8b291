"""What estimators share that judge each architecture by itself: nothing is trained in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nasctl.core import Architecture, Candidate, State


class IndependentEstimator:
    """Takes picked architectures, every one of the space, and reads nothing; the state is the work done.

    An estimator with more state, facts or data says so itself.
    """

    takes_relaxed = False
    tabular = False
    epoch = 0.0
    work = 0

    def fit(self, sample: Callable[[], Candidate]) -> None:
        pass

    def covers(self, arch: Architecture) -> bool:
        return True

    def fingerprint(self) -> Mapping[str, str]:
        return {}

    def facts(self) -> Mapping[str, Any]:
        return {}

    def state_dict(self) -> State:
        return {"work": self.work}

    def load_state_dict(self, state: State) -> None:
        self.work = state["work"]
