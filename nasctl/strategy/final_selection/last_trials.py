"""The best of the last trials, sampled from the final policy and scored by the final shared weights.

Pham et al. 2018 (ENAS), https://arxiv.org/abs/1802.03268, section 2.3.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from typing import Literal

from pydantic import PositiveInt

from nasctl.core import Architecture, State, Trial
from nasctl.strategy._best import no_success

log = logging.getLogger("nasctl")


class LastTrials:
    """In the last ``trials`` of ``horizon`` the policy does not learn; without a horizon it always does.

    ``batch``: each candidate is scored on a validation batch of its own, or all on the same.
    """

    def __init__(self, horizon: int | None, *, trials: PositiveInt, batch: Literal["own", "same"]) -> None:
        if horizon is not None and trials >= horizon:
            log.warning(
                "strategy.final_selection.trials=%d leaves the policy none of %d trials to learn from; lower it",
                trials,
                horizon,
            )
        self.horizon, self.same = math.inf if horizon is None else horizon, batch == "same"
        self.last: deque[tuple[Architecture, float]] = deque(maxlen=trials)
        self.trials, self.failure = trials, "none was told"

    def tell(self, trial: Trial) -> None:
        self.failure = trial.error or self.failure
        if trial.reward is not None:
            self.last.append((trial.candidate.arch, trial.reward))

    def learns(self, told: int) -> bool:
        return told <= self.horizon - self.trials

    def compares(self, told: int) -> bool:
        return self.same and told >= self.horizon - self.trials

    def candidates(self, told: int) -> int:
        return len(self.last)

    def derive(self) -> Architecture:
        if not self.last:
            raise no_success(self.failure)
        return max(self.last, key=lambda trial: trial[1])[0]

    def state_dict(self) -> State:
        return {"last": list(self.last), "failure": self.failure}

    def load_state_dict(self, state: State) -> None:
        self.last.clear()
        self.last.extend(state["last"])
        self.failure = state["failure"]
