"""Differences of two methods with their intervals: one rule for every view, and one level for all rows of a table.

Student 1908, Biometrika 6, of pairs; Welch 1947, https://doi.org/10.1093/biomet/34.1-2.28, without equal variances.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, stdev
from typing import Any

from nasctl.report._statistics import multiple
from nasctl.report._statistics.figure import Figure
from nasctl.report._statistics.proportion import unseen
from nasctl.report._statistics.quotient import fieller
from nasctl.report._statistics.student import quantile, two_sided

__all__ = [
    "LEVEL",
    "RULE",
    "Difference",
    "between",
    "from_value",
    "gain",
    "half_width",
    "paired",
    "quantile",
    "together",
    "welch",
]

LEVEL = 0.95
_LEAST = 2  # shared seeds
_SMALL = 10  # seeds of the smaller group
_MANY = 59  # seeds; none failed of so many bounds the probability of a failure by 5 %
_ROUNDING = 1e-12  # of a value: a standard error below is none
RULE = (
    "By: Student's t of the differences seed by seed, where two methods share at least two seeds and half of the seeds "
    "of the one that has fewer; else Welch's t over all seeds, with the degrees of freedom of the smaller group where "
    "that has fewer than ten and the other more. Both take means over seeds to be close to normal."
)


@dataclass(frozen=True)
class Difference:
    """Mean minus mean, with the bounds of its interval; None where one side has a single value.

    ``adjusted`` is Holm's p-value among the rows of a table, and the interval is then at their common level.
    """

    value: float
    low: float | None
    high: float | None
    error: float | None = field(default=None, compare=False)  # standard
    freedom: float = field(default=1.0, compare=False)
    by: str = field(default="", compare=False)
    adjusted: float | None = field(default=None, compare=False)
    least: int = field(default=1, compare=False)  # values of the smaller group, or pairs

    def __str__(self) -> str:
        return self.text(2)

    def text(self, places: int) -> str:
        """Return the difference and its interval with so many decimal places."""
        value, *bounds = (_signed(x, places) for x in (self.value, self.low, self.high) if x is not None)
        return f"{value} [{', '.join(bounds)}]" if bounds else value

    @property
    def p(self) -> float | None:
        """Return the two-sided p-value of no difference, by itself; None where nothing varies or is known to."""
        if self.error is None or self.error <= _ROUNDING * abs(self.value):
            return None
        return two_sided(self.value / self.error, self.freedom)

    def scaled(self, factor: float) -> Difference:
        """Return the difference and its interval times a positive factor."""
        low, high = (None if bound is None else factor * bound for bound in (self.low, self.high))
        return Difference(factor * self.value, low, high, by=self.by)

    def at(self, level: float) -> Difference:
        """Return the difference with its interval at another level."""
        if self.error is None:
            return self
        half = quantile(level, self.freedom) * self.error
        return replace(self, low=self.value - half, high=self.value + half)


def _signed(value: float, places: int) -> str:
    """Return a number with its sign; what rounds to zero has a plus."""
    return f"{round(value, places) + 0.0:+.{places}f}"


def between(a: Mapping[Any, float], b: Mapping[Any, float], *, pairable: bool = True) -> Difference:
    """Return the mean of ``a`` minus that of ``b``, values by seed, by `RULE`; neither is empty.

    Seeds pair values only where ``pairable``: where equal seeds mean equal splits and orders of the data.
    """
    shared = [seed for seed in a if seed in b] if pairable else []
    if len(shared) >= _LEAST and 2 * len(shared) >= min(len(a), len(b)):
        return paired([a[seed] - b[seed] for seed in shared])
    return _unpaired(_figure(a), _figure(b))


def _unpaired(a: Figure, b: Figure) -> Difference:
    """Return ``a`` minus ``b`` by Welch's t, with fewer degrees of freedom where his hold the truth too rarely.

    With two or three values of wide spread beside more of narrow spread, Welch's intervals hold 89 to 93 %. Those of
    the smaller group's degrees of freedom never fall short: Mickey and Brown 1966, Annals of Mathematical Statistics.
    """
    found, smaller = welch(a, b), min(a.n, b.n)
    if found.error is None or a.n == b.n or smaller >= _SMALL:
        return found
    return replace(found, freedom=smaller - 1).at(LEVEL)


def _figure(values: Mapping[Any, float]) -> Figure:
    known = list(values.values())
    return Figure(fmean(known), stdev(known) if len(known) > 1 else None, len(known))


def together(found: Sequence[Difference]) -> list[Difference]:
    """Return the differences of one table with Holm's p-values, and intervals that all hold at once with `LEVEL`."""
    tested = [(k, p) for k, difference in enumerate(found) if (p := difference.p) is not None]
    adjusted = dict(zip((k for k, _ in tested), multiple.holm([p for _, p in tested]), strict=True))
    level = multiple.each(LEVEL, max(1, len(tested)))
    return [replace(each.at(level), adjusted=adjusted.get(k)) for k, each in enumerate(found)]


def remarks(found: Sequence[Difference]) -> list[str]:
    """Return the remarks that belong below a table of the differences ``found``, which `together` made."""
    count = sum(difference.adjusted is not None for difference in found)
    if count < 2:
        known = any(each.error is not None for each in found)
        return [RULE, "Brackets: 95 % interval.", *unseen_failures(found)] if known else []
    return [
        RULE,
        f"Brackets: {count} intervals that all hold at once with 95 % (Bonferroni). p: adjusted for {count} "
        "comparisons by Holm's method, which may find a difference whose bracket holds zero.",
        *unseen_failures(found),
    ]


def unseen_failures(found: Iterable[Difference]) -> list[str]:
    """Return how often searches may fail though none failed here, of the fewest seeds; nothing where that is rare."""
    least = min((each.least for each in found if each.error is not None), default=_MANY)
    share = unseen(least, LEVEL)
    return [
        f"No interval covers failures that no seed shows: if none of {least} searches failed outright, up to "
        f"{100 * share:.0f} % of such searches may (one-sided 95 % bound)."
    ] * (least < _MANY)


def welch(a: Figure, b: Figure) -> Difference:
    """Return ``a`` minus ``b``."""
    least = min(a.n, b.n)
    value, by = a.mean - b.mean, f"Welch, n={a.n} and {b.n}"
    if a.std is None or b.std is None:
        return Difference(value, None, None, by=by)
    of_a, of_b = a.std**2 / a.n, b.std**2 / b.n  # squared standard errors
    if of_a + of_b == 0:
        return Difference(value, value, value, error=0.0, by=by, least=least)
    freedom = (of_a + of_b) ** 2 / (of_a**2 / (a.n - 1) + of_b**2 / (b.n - 1))
    return Difference(value, None, None, error=math.sqrt(of_a + of_b), freedom=freedom, by=by, least=least).at(LEVEL)


def paired(differences: Sequence[float]) -> Difference:
    """Return the mean of ``differences``, of which there are two or more."""
    n = len(differences)
    error = stdev(differences) / math.sqrt(n)
    return Difference(fmean(differences), None, None, error=error, freedom=n - 1, by=f"pairs, n={n}", least=n).at(LEVEL)


def from_value(a: Figure, value: float) -> Difference:
    """Return the mean of ``a`` minus a value that is taken as exact, with Student's interval."""
    half, points = half_width(a), a.mean - value
    low, high = (None, None) if half is None else (points - half, points + half)
    return Difference(points, low, high, by=f"n={a.n}")


def gain(a: Figure, b: Figure) -> Difference:
    """Return by which share of the mean of ``b`` the mean of ``a`` is greater, with Fieller's interval.

    The degrees of freedom are those of ``a`` minus a multiple of ``b`` of the same mean, as for other differences.
    """
    quotient, by = a.mean / b.mean, f"n={a.n} and {b.n}"
    if a.std is None or b.std is None:
        return Difference(quotient - 1, None, None, by=by)
    freedom = _unpaired(a, Figure(a.mean, b.std * quotient, b.n)).freedom
    errors = a.std / math.sqrt(a.n), b.std / math.sqrt(b.n)
    bounds = fieller(a.mean, b.mean, errors, quantile(LEVEL, freedom))
    low, high = (None, None) if bounds is None else (bounds[0] - 1, bounds[1] - 1)
    return Difference(quotient - 1, low, high, by=by)


def half_width(figure: Figure) -> float | None:
    """Return the half width of the 95 % interval of a mean; None of a single value."""
    if figure.std is None:
        return None
    return quantile(LEVEL, figure.n - 1) * figure.std / math.sqrt(figure.n)
