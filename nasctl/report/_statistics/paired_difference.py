"""Differences of several methods: one rule for intervals, and p-values adjusted for how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nasctl.report._statistics.interval import Difference, between, together

Values = Mapping[Any, float]
"""A figure of a method by search seed."""

Named = tuple[str, Values]


@dataclass(frozen=True)
class PairedDifference:
    """A pair of methods, and the mean of the first minus that of the second."""

    method: str
    less: str
    difference: Difference

    def cells(self, places: int) -> Mapping[str, str]:
        """Return a row with so many decimal places."""
        return {
            "method": self.method,
            "less": self.less,
            "difference": self.difference.text(places),
            "p": probability(self.difference),
            "by": self.difference.by,
        }


def paired_differences(pairs: Iterable[tuple[Named, Named]], *, pairable: bool = True) -> list[PairedDifference]:
    """Return the differences of pairs that have an interval, adjusted for how many there are."""
    found = [(a[0], b[0], between(a[1], b[1], pairable=pairable)) for a, b in pairs if a[1] and b[1]]
    known = [each for each in found if each[2].error is not None]
    corrected = together([difference for *_, difference in known])
    return [PairedDifference(name, less, each) for (name, less, _), each in zip(known, corrected, strict=True)]


def probability(difference: Difference) -> str:
    """Return the adjusted p-value as text."""
    p = difference.adjusted
    if p is None:
        return ""
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
