"""When shared weights are trained: before the first evaluation, and then after every few evaluations.

One step after each evaluation is the alternation of DARTS (https://arxiv.org/abs/1806.09055) and TuNAS
(https://arxiv.org/abs/2008.06120), an epoch after many that of ENAS (https://arxiv.org/abs/1802.03268), and all steps
before the first one that of single-path one-shot search (https://arxiv.org/abs/1904.00420).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt

from nasctl.core import State
from nasctl.errors import RequestError
from nasctl.trainer._curve import cosine


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Settings of the node ``schedule``; see `Schedule`."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    warmup_epochs: NonNegativeInt
    fit_epochs: PositiveFloat | None
    fit_every: PositiveInt


class Schedule:
    """Counts weight steps and evaluations, and says whether a step is due.

    ``warmup_epochs`` are due first; then, after every ``fit_every`` evaluations, ``fit_epochs`` more, rounded up to
    whole steps (None: one step); none once there were ``epochs``, of ``steps`` weight steps each.
    """

    def __init__(self, steps: int, epochs: float | None, rounds: Rounds) -> None:
        warmup = rounds.warmup_epochs
        if warmup and (epochs is None or warmup > epochs):
            raise RequestError(
                f"estimator.schedule.warmup_epochs={warmup} must be at most estimator.epochs={epochs}; set "
                "estimator.epochs"
            )
        self.steps, self.epochs, self.fit_every = steps, epochs, rounds.fit_every
        self.last = math.inf if epochs is None else math.ceil(epochs * steps)
        self.warmup = warmup * steps
        self.each = 1 if rounds.fit_epochs is None else math.ceil(rounds.fit_epochs * steps)
        self.position = 0  # weight steps taken
        self.goal = self.warmup  # weight steps that have been asked for
        self.since = 0  # evaluations since they were

    @property
    def epoch(self) -> float:
        """Passes over the training data so far."""
        return self.position / self.steps

    @property
    def due(self) -> bool:
        """Whether a weight step is due."""
        return self.position < self.goal

    @property
    def turn(self) -> int:
        """The position from which an evaluation takes its batches: each of a round has others."""
        return self.position + self.since

    def stepped(self) -> None:
        """Count a weight step."""
        self.position += 1

    def evaluated(self) -> None:
        """Count an evaluation; the last of a round asks for the next weight steps."""
        self.since = (self.since + 1) % self.fit_every
        if not self.since:
            self.goal = max(self.position, int(min(self.position + self.each, self.last)))

    def cosine(self, lr: float, lr_min: float) -> float:
        """Return the learning rate: from ``lr`` to ``lr_min`` by epoch, or ``lr`` where the epochs are not given."""
        if self.epochs is None:
            return lr
        share = min(self.position // self.steps / self.epochs, 1.0)
        return cosine(lr, lr_min, share)

    def decay(self, factor: float, start: int) -> float:
        """Return ``factor`` to the power of the epochs since ``start``, the present one included."""
        return float(factor ** max(0, self.position // self.steps + 1 - start))

    def shown(self) -> Mapping[str, Any]:
        """Return what a user wants to see while weights are trained."""
        if self.position < self.warmup:
            return {"phase": "warm-up", "epoch": self.epoch, "warmup_share": self.position / self.warmup}
        return {"phase": "weights", "epoch": self.epoch}

    def state_dict(self) -> State:
        return {"position": self.position, "goal": self.goal, "since": self.since}

    def load_state_dict(self, state: State) -> None:
        self.position, self.goal, self.since = state["position"], state["goal"], state["since"]
