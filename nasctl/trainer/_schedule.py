"""Learning rate over a training, as a function of how much of it is done.

Warm restarts: Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5; linear warm-up: Goyal et
al. 2017, https://arxiv.org/abs/1706.02677, section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from nasctl.errors import RequestError
from nasctl.trainer._curve import cosine


def linear(lr: float, lr_min: float, share: float) -> float:
    """Return the rate on a straight line."""
    return lr_min + (lr - lr_min) * (1 - share)


def exponential(lr: float, lr_min: float, share: float) -> float:
    """Return the rate that loses the same factor in equal times; ``schedule_by=epoch`` makes steps of it."""
    return lr * (lr_min / lr) ** share


def counted(position: int, steps: int, epochs: int, by: str) -> Fraction:
    """Return the share of ``epochs`` of ``steps`` that is done at a step, whole epochs only with ``by=epoch``."""
    return Fraction(position // steps * steps if by == "epoch" else position, epochs * steps)


CURVES: Mapping[str, Callable[[float, float, float], float]] = {
    "cosine": cosine,
    "linear": linear,
    "exponential": exponential,
}
"""From ``lr`` at share 0 to ``lr_min`` at share 1."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Linear warm-up to ``lr`` in the first ``warmup`` of the training, then ``curve``, begun anew ``restarts`` times.

    Each cycle is ``restart_factor`` (T_mult) times as long as the one before, and together they fill what
    follows the warm-up: 310 epochs with 4 restarts and factor 2 make a first cycle (T_0) of 10. All is in
    shares, so a shortened training passes through the whole schedule.
    """

    lr: float
    lr_min: float
    curve: str
    by: str
    warmup: float
    restarts: int
    restart_factor: int

    def __post_init__(self) -> None:
        if self.lr_min > self.lr:
            raise RequestError(f"trainer.lr_min ({self.lr_min}) must be at most trainer.lr ({self.lr})")
        if self.curve == "exponential" and self.lr_min == 0:
            raise RequestError("trainer.schedule=exponential never reaches trainer.lr_min=0; set a positive one")

    def done(self, position: int, steps: int, epochs: int) -> Fraction:
        """Return the share of ``epochs`` of ``steps`` that is done at a step, whole epochs only with ``by=epoch``."""
        return counted(position, steps, epochs, self.by)

    def rate(self, done: Fraction, tick: Fraction) -> float:
        """Return the rate at ``done``; ``tick`` is the share of one epoch or step, whichever ``by`` says."""
        warmup = Fraction(self.warmup)
        if done < warmup:
            return self.lr * float(min(Fraction(1), (done + tick) / warmup))
        return CURVES[self.curve](self.lr, self.lr_min, float(self._in_cycle((done - warmup) / (1 - warmup))))

    def tick(self, steps: int, epochs: int) -> Fraction:
        """Return the share of the training between two changes of the rate."""
        return Fraction(1, epochs) if self.by == "epoch" else Fraction(1, epochs * steps)

    def _in_cycle(self, share: Fraction) -> Fraction:
        """Return the share of the cycle under way; exact, since a rounded one could miss a restart."""
        lengths = [self.restart_factor**i for i in range(self.restarts + 1)]
        place = share * sum(lengths)
        for length in lengths:
            if place < length:
                return place / length
            place -= length
        return Fraction(1)
