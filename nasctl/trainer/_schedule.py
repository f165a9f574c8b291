"""Where a training stands in its schedule, and what learning-rate schedules share: warm-up and warm restarts.

Warm restarts: Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5; linear warm-up: Goyal et
al. 2017, https://arxiv.org/abs/1706.02677, section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal, Protocol

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from nasctl.errors import RequestError

By = Literal["epoch", "step"]
Curve = Callable[[float, float, float], float]
"""From ``lr`` at share 0 to ``lr_min`` at share 1 of a cycle."""


@dataclass(frozen=True)
class Place:
    """The next step of a training: ``position`` steps are done, of ``steps`` an epoch and ``epochs`` in all."""

    position: int
    steps: int
    epochs: int

    @property
    def epoch(self) -> int:
        return self.position // self.steps

    def done(self, by: By) -> Fraction:
        """Return the share of the schedule that is done; with ``by=epoch``, that of whole epochs."""
        position = self.epoch * self.steps if by == "epoch" else self.position
        return Fraction(position, self.epochs * self.steps)

    def unit(self, by: By) -> Fraction:
        """Return the share of the schedule that one epoch, or one step, takes."""
        return Fraction(1, self.epochs) if by == "epoch" else Fraction(1, self.epochs * self.steps)


class Schedule(Protocol):
    """The learning rate as a function of the place in the training."""

    by: By  # when the rate changes

    def rate(self, place: Place) -> float:
        """Return the learning rate of the step at ``place``."""


class Cyclic:
    """Linear warm-up to ``lr`` in the first ``warmup`` of the training, then a curve, begun anew ``restarts`` times.

    Each cycle is ``restart_factor`` (T_mult) times as long as the one before, and together they fill what
    follows the warm-up: 310 epochs with 4 restarts and factor 2 make a first cycle (T_0) of 10. All is in
    shares, so a shortened schedule passes through the whole curve.
    """

    curve: Curve

    def __init__(
        self,
        lr: float,
        *,
        lr_min: NonNegativeFloat,
        by: By,
        warmup: Annotated[float, Field(ge=0, lt=1)],
        restarts: NonNegativeInt,
        restart_factor: PositiveInt,
    ) -> None:
        if lr_min > lr:
            raise RequestError(f"trainer.schedule.lr_min ({lr_min}) must be at most trainer.lr ({lr})")
        self.lr, self.lr_min, self.by, self.warmup = lr, lr_min, by, Fraction(warmup)
        self.restarts, self.restart_factor = restarts, restart_factor

    def rate(self, place: Place) -> float:
        done = place.done(self.by)
        if done < self.warmup:
            return self.lr * float(min(Fraction(1), (done + place.unit(self.by)) / self.warmup))
        share = float(self._in_cycle((done - self.warmup) / (1 - self.warmup)))
        return self.curve(self.lr, self.lr_min, share)

    def _in_cycle(self, share: Fraction) -> Fraction:
        """Return the share of the cycle under way; exact, since a rounded one could miss a restart."""
        lengths = [self.restart_factor**i for i in range(self.restarts + 1)]
        place = share * sum(lengths)
        for length in lengths:
            if place < length:
                made: Fraction = place / length
                return made
            place -= length
        return Fraction(1)
