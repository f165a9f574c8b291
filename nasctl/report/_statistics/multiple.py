"""Several comparisons in one table: Holm's adjusted p-values, and the level of intervals that hold all together.

Holm 1979, Scandinavian Journal of Statistics 6, for p-values; Bonferroni's level for intervals, whose joint coverage is
at least the nominal one whatever the dependence. Holm's test rejects whatever Bonferroni's rejects and may reject more.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(values: Sequence[float]) -> list[float]:
    """Return the adjusted p-values in the order given."""
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, largest = [0.0] * len(values), 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - place) * values[index]))
        adjusted[index] = largest
    return adjusted


def each(level: float, comparisons: int) -> float:
    """Return the level of each of several intervals that all hold at once with probability ``level`` or more."""
    return 1 - (1 - level) / comparisons
