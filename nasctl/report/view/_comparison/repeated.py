"""Differences between the mean errors of repeated searches, such as hundreds of look-up searches in one table.

Searches of one seed read the same column of a table of several training seeds, so they are compared seed by seed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import combinations, groupby

from nasctl.report._read.likeness import of_kind
from nasctl.report._read.method import Method, by_seed
from nasctl.report._statistics.paired_difference import Named, PairedDifference, paired_differences

_MOST = 8  # methods of which all pairs are shown; of more, those with random search
_SHARED = ("space", "estimator", "dataset", "constraint")


def differences(rows: Sequence[Method]) -> list[PairedDifference]:
    """Return the differences of the repeated searches of one task, adjusted for how many there are."""
    searched = sorted((row for row in rows if _is_repeated(row)), key=_task)
    groups = [list(group) for _, group in groupby(searched, key=_task)]
    return paired_differences((_named(a), _named(b)) for group in groups for a, b in _pairs(group))


def _is_repeated(row: Method) -> bool:
    return row.error is None and row.estimate is not None and all("replica" in run.result for run in row.runs)


def _task(row: Method) -> str:
    """Return a key that methods must share: space, estimator, data set, constraint, data and measure."""
    first = row.runs[0]
    nodes = {name: [row.settings[name], first.config.get(name)] for name in _SHARED}
    data = {name: value for name, value in row.likeness.items() if of_kind(name, "data", "limits", "device type")}
    return json.dumps([row.estimate_kind, row.measure, nodes, data], sort_keys=True, default=str)


def _pairs(group: Sequence[Method]) -> Iterator[tuple[Method, Method]]:
    """Yield each two methods, the better first; of many methods, each with random search."""
    ranked = sorted(group, key=lambda row: row.estimate.mean if row.estimate else 0.0)
    many = len(group) > _MOST
    for a, b in combinations(ranked, 2):
        if not many or a.is_random_search != b.is_random_search:
            yield (b, a) if many and a.is_random_search else (a, b)


def _named(row: Method) -> Named:
    return row.label, by_seed(row.runs, lambda run: run.score)
