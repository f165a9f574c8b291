"""The interval of a median between two order statistics, whatever the distribution.

Thompson 1936, https://doi.org/10.1214/aoms/1177732502. The number of values below the true median is binomial. Ties
only widen the coverage, since the bounds belong to the interval.
"""

from __future__ import annotations

from collections.abc import Sequence


def bounds(values: Sequence[float], level: float) -> tuple[float, float] | None:
    """Return the innermost symmetric pair of order statistics that holds the median with probability ``level``.

    None where even the least and the greatest value hold it less often: at 95 % of five values or fewer.
    """
    from scipy.special import bdtr

    ordered, tail = sorted(values), (1 - level) / 2
    n = len(ordered)
    outside = [k for k in range((n + 1) // 2) if bdtr(k, n, 0.5) <= tail]
    return (ordered[outside[-1]], ordered[-1 - outside[-1]]) if outside else None
