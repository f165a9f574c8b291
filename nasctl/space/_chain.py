"""Costs that are sums over neighbouring decisions, as tables.

``tables[i][a][b]`` is what option a of decision i and option b of decision i + 1 cost together; what one option
costs by itself is folded into a table of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Tables = list[list[list[float]]]


def tables(
    widths: Sequence[int],
    layers: int,
    first: Callable[[int], float],
    link: Callable[[int, int, int], float],
    last: Callable[[int], float],
) -> Tables:
    """Return the tables of ``layers`` decisions, each with the options ``widths``.

    ``first(a)`` and ``last(b)`` are the costs at the two ends, ``link(i, a, b)`` that between layers i and i + 1.
    """
    ends = [(first(a) if i == 0 else 0, i, a) for i in range(layers - 1) for a in widths]
    rows = [[start + link(i, a, b) + (last(b) if i == layers - 2 else 0) for b in widths] for start, i, a in ends]
    return [rows[i * len(widths) : (i + 1) * len(widths)] for i in range(layers - 1)]


def total(tables: Tables, arch: Sequence[int]) -> float:
    """Return the cost of ``arch``: one entry of each table."""
    return sum(table[a][b] for table, a, b in zip(tables, arch, arch[1:], strict=False))
