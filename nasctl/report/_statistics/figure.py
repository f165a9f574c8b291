"""A figure measured over seeds, and how figures are written.

Errors have two decimals, counts a factor of thousand (k, M), days three significant digits.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Figure:
    """Mean and sample standard deviation (n - 1) of ``n`` values; ``std`` is None where n = 1."""

    mean: float
    std: float | None
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Figure | None:
        """Return the figure of ``values``, or None if there are none."""
        known = list(values)
        return cls.over(known) if known else None

    @classmethod
    def over(cls, values: Sequence[float]) -> Figure:
        """Return the figure of one or more ``values``."""
        return cls(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None, len(values))

    def __str__(self) -> str:
        return self.text(2)

    def text(self, places: int) -> str:
        """Return mean, deviation and number with so many decimal places."""
        spread = "" if self.std is None else f" ± {self.std:.{places}f}"
        return f"{self.mean:.{places}f}{spread} (n={self.n})"


def average(values: Iterable[float]) -> float | None:
    """Return the mean of ``values``, or None if there are none."""
    known = list(values)
    return statistics.fmean(known) if known else None


def count(value: float | None, decimals: int) -> str:
    """Write a count in millions with ``decimals`` places, in thousands below a million; None is empty."""
    if value is None:
        return ""
    if value >= 1e6:
        return f"{value / 1e6:.{decimals}f} M"
    return f"{value / 1e3:.1f} k" if value >= 1e3 else f"{value:.0f}"


def amount(value: float, decimals: int = 1) -> str:
    """Write a cost of any resource: like `count` from a thousand on, below with four significant digits."""
    return count(value, decimals) if value >= 1000 else f"{value:.4g}"


def spread(figure: Figure | None, write: Callable[[float], str]) -> str:
    """Return mean and standard deviation as ``write`` writes them; no deviation where all values are equal."""
    if figure is None:
        return ""
    return f"{write(figure.mean)} ± {write(figure.std)}" if figure.std else write(figure.mean)


def days(value: float) -> str:
    """Write a number of days with three significant digits, never with an exponent."""
    if value == 0:
        return "0"
    places = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{max(places, 0)}f}"


def size(value: int) -> str:
    """Write a number of architectures: in full below a million, else as 1.08e18; any size will do."""
    return f"{value}" if value < 10**6 else f"{Decimal(value):.2e}".replace("e+", "e")


def work(value: float) -> str:
    """Write a number of multiply-accumulates with three significant digits, as 1.62e15."""
    digits, exponent = f"{value:.2e}".split("e")
    return f"{digits}e{int(exponent)}"
