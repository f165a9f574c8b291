"""Intervals of differences: of two means by Welch's t, without equal variances, or of pairs by Student's.

Welch 1947, https://doi.org/10.1093/biomet/34.1-2.28. With angle = atan(t / sqrt(df)), the probability that
Student's variable lies within ± t is the integral of cos^(df - 1) from 0 to the angle, over that to a right
angle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from nasctl.report.figure import Figure

LEVEL = 0.95
_PANELS = 400  # of Simpson's rule
_HALVINGS = 60


@dataclass(frozen=True)
class Difference:
    """Mean minus mean, with the bounds of its interval at `LEVEL`; None where one side has a single value."""

    value: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return self.text(2)

    def text(self, places: int) -> str:
        """Return the difference and its interval with so many decimal places."""
        if self.low is None or self.high is None:
            return f"{self.value:+.{places}f}"
        return f"{self.value:+.{places}f} [{self.low:+.{places}f}, {self.high:+.{places}f}]"


def welch(a: Figure, b: Figure) -> Difference:
    """Return ``a`` minus ``b``."""
    value = a.mean - b.mean
    if a.std is None or b.std is None:
        return Difference(value, None, None)
    of_a, of_b = a.std**2 / a.n, b.std**2 / b.n  # squared standard errors
    if of_a + of_b == 0:
        return Difference(value, value, value)
    freedom = (of_a + of_b) ** 2 / (of_a**2 / (a.n - 1) + of_b**2 / (b.n - 1))
    half = quantile(LEVEL, freedom) * math.sqrt(of_a + of_b)
    return Difference(value, value - half, value + half)


def paired(differences: Sequence[float]) -> Difference:
    """Return the mean of ``differences``, of which there are two or more, by Student's t (1908, Biometrika 6)."""
    n, mean = len(differences), fmean(differences)
    half = quantile(LEVEL, n - 1) * stdev(differences) / math.sqrt(n)
    return Difference(mean, mean - half, mean + half)


def quantile(level: float, freedom: float) -> float:
    """Return the t within whose ± Student's variable of ``freedom`` (at least 1) lies with probability ``level``."""
    whole = math.sqrt(math.pi) / 2 * math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom + 1) / 2))
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        angle = (low + high) / 2
        low, high = (angle, high) if _integral(angle, freedom - 1) < level * whole else (low, angle)
    return math.sqrt(freedom) * math.tan(low)


def _integral(angle: float, power: float) -> float:
    """Return the integral of cos^power from 0 to ``angle`` by Simpson's rule."""
    values = [math.cos(angle * i / _PANELS) ** power for i in range(_PANELS + 1)]
    return angle / _PANELS / 3 * (values[0] + values[-1] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2]))
