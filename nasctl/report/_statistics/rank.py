"""Rank correlation: Kendall's tau-b, Spearman's rho and hits at the top, with bootstrap intervals.

Kendall 1945, https://doi.org/10.1093/biomet/33.3.239, for ties. A bootstrap draws n of n items with replacement; every
statistic here takes a matrix of ``draws`` ``(resamples + 1, n)``: how often each item is sampled. Its first row is the
sample itself. It returns ``(resamples + 1,)`` values. Where a statistic does not exist, as without a pair that is not
tied, its value is NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy
from numpy.typing import NDArray

from nasctl.report._statistics.interval import LEVEL

Array = NDArray[Any]

_COLUMNS = 512  # items that are compared with all others at once


def draws(items: int, resamples: int, seed: int) -> Array:
    """Return how often each item is sampled in the sample itself, then in each of its resamples."""
    random = numpy.random.default_rng(seed)
    sampled = random.multinomial(items, numpy.full(items, 1 / items), size=resamples)
    return numpy.concatenate([numpy.ones((1, items)), sampled]).astype(numpy.float32)


def kendall(a: Array, b: Array, draws: Array, strata: Array | None = None) -> Array:
    """Return tau-b: agreeing less disagreeing pairs, over the geometric mean of those not tied in ``a`` and in ``b``.

    With ``strata`` only pairs within one stratum, a value that both have, are looked at.
    """
    sums = numpy.zeros((3, len(draws)))
    for columns, first, second in _signs(a, b, strata):
        parts = (first * second, abs(first), abs(second))
        sums += [(draws @ part * draws[:, columns]).sum(1, dtype=numpy.float64) for part in parts]
    return _quotient(sums[0], sums[1] * sums[2])


def spearman(a: Array, b: Array, draws: Array) -> Array:
    """Return the correlation of ranks, those of tied items averaged.

    The signs of an item's differences from all sampled items add up to twice its rank less the mean rank.
    """
    sums = numpy.zeros((3, len(draws)))
    for columns, first, second in _signs(a, b, None):
        ranks, others = (numpy.asarray(draws @ part, numpy.float64) for part in (first, second))
        parts = (ranks * others, ranks * ranks, others * others)
        sums += [(part * draws[:, columns]).sum(1) for part in parts]
    return _quotient(sums[0], sums[1] * sums[2])


def hits(a: Array, b: Array, share: float, draws: Array) -> Array:
    """Return which share of the best by ``a`` is among the best by ``b``; the best are that ``share`` of all."""
    count = best(len(a), share)
    both: Array = numpy.minimum(_chosen(a, count, draws), _chosen(b, count, draws))
    found: Array = both.sum(1, dtype=numpy.float64) / count
    return found


def best(items: int, share: float) -> int:
    """Return how many items the best ``share`` of them are, at least one."""
    return max(1, round(share * items))


def tied_pairs(keys: Array) -> int:
    """Return how many pairs of items have one key."""
    sizes = numpy.unique(keys, return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum())


def interval(values: Array) -> tuple[float, float, float] | None:
    """Return the statistic and the bounds of its percentile interval at `LEVEL`; None where it does not exist."""
    value, resampled = float(values[0]), values[1:][numpy.isfinite(values[1:])]
    if not numpy.isfinite(value) or not len(resampled):
        return None
    low, high = numpy.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return value, float(low), float(high)


def _signs(a: Array, b: Array, strata: Array | None) -> Iterator[tuple[slice, Array, Array]]:
    """Yield the signs of all differences, ``(n, columns)``, some columns at a time; zero across strata."""
    for start in range(0, len(a), _COLUMNS):
        columns = slice(start, start + _COLUMNS)
        same = 1.0 if strata is None else strata[:, None] == strata[None, columns]
        first, second = (numpy.sign(x[None, columns] - x[:, None]) * same for x in (a, b))
        yield columns, first.astype(numpy.float32), second.astype(numpy.float32)


def _chosen(values: Array, count: int, draws: Array) -> Array:
    """Return how often each item is among the ``count`` best of each draw."""
    order = numpy.argsort(-values, kind="stable")
    sampled = draws[:, order]
    before = sampled.cumsum(1) - sampled
    chosen = numpy.empty_like(sampled)
    chosen[:, order] = numpy.clip(count - before, 0, sampled)
    return chosen


def _quotient(above: Array, squared: Array) -> Array:
    found: Array = numpy.full(len(above), numpy.nan)
    numpy.divide(above, numpy.sqrt(squared), out=found, where=squared > 0)
    return found
