"""The base of estimators without weight sharing: nothing is trained in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nasctl.core import State


class IndependentEstimator:
    """Takes single architectures, reads no data, and has neither facts nor a state.

    A subclass that has one of these defines it. None counts what it has evaluated: an evaluation is a function of
    seed, index and candidate, and the search adds up work and facts.
    """

    takes_relaxed = False

    def fingerprint(self) -> Mapping[str, str]:
        return {}

    def facts(self) -> Mapping[str, Any]:
        return {}

    def state_dict(self) -> State:
        return {}

    def load_state_dict(self, state: State) -> None:
        pass
