"""Retrained methods by any metric of their test, such as the AUC of click logs, and their paired differences.

Where methods were searched with the same seeds, each seed gives them one split and one order of its examples, so two
methods are compared seed by seed (interval.RULE).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations

from nasctl.errors import RequestError, unknown
from nasctl.report._read.label import distinct
from nasctl.report._read.likeness import TRAINING, agree, limit_of
from nasctl.report._read.method import Method, by_seed, methods
from nasctl.report._read.record import Run, finite
from nasctl.report._read.remarks import WORK, of_rows
from nasctl.report._statistics import interval
from nasctl.report._statistics.figure import Figure, count, spread, work
from nasctl.report._statistics.paired_difference import paired_differences
from nasctl.report.declaration import Content, View
from nasctl.report.grid import Cells, Grid, grid
from nasctl.report.view._comparison.pair import works

_DECIMALS = 4
_DRAWN = "random architectures"  # what n counts where nothing but chance chose


def make(runs: Sequence[Run], metric: str) -> Content:
    """Return ``metric`` of the networks that ``runs`` retrained, by method, and the differences of methods."""
    rows = _rows(runs, metric)
    return Content([_measured(rows, metric), *_differences(rows, metric)], rows=rows)


def _rows(runs: Sequence[Run], metric: str) -> list[Method]:
    rows = [row for row in distinct(methods(runs)) if row.recipe is not None]
    if not rows:
        raise RequestError(f"metric={metric}: none of these runs is a retrained network; give what nasctl retrain made")
    known = {name for row in rows for run in row.runs for name in run.metrics}
    if metric not in known:
        raise unknown("metric", metric, sorted(known))
    return rows


def values(row: Method, metric: str) -> dict[object, float]:
    """Return the metric by search seed, averaged over retrain seeds."""

    def value(run: Run) -> float | None:
        return finite(run.metrics.get(metric))

    return by_seed(row.runs, value)


def _measured(rows: Sequence[Method], metric: str) -> Grid:
    remarks = [
        f"{metric} on the test split, mean ± standard deviation over n seeds; work in multiply-accumulates.",
        *[WORK] * any(works(row) for row in rows),
        *of_rows(rows),
    ]
    return grid(f"Test {metric} of retrained networks", [_cells(row, metric) for row in rows], remarks)


def _cells(row: Method, metric: str) -> Cells:
    figure = Figure.of(values(row, metric).values())
    return {
        "method": row.label,
        "dataset": str(row.settings["dataset"]),
        metric: "" if figure is None else figure.text(_DECIMALS),
        "limit": row.settings["limit"] or "",
        "params": spread(row.params, partial(count, decimals=2)),
        "within the limit": "" if row.feasible is None else "{} of {}".format(*row.feasible),
        "work of a search": spread(Figure.of(works(row)), work),
    }


def _differences(rows: Sequence[Method], metric: str) -> list[Grid]:
    """Return the grid of each two comparable methods that have an interval."""
    pairs = [(a, b) for a, b in combinations(rows, 2) if _comparable(a, b)]
    found = paired_differences(
        ((a.label, _paired_values(a, metric)), (b.label, _paired_values(b, metric))) for a, b in pairs
    )
    remarks = interval.remarks([each.difference for each in found])
    return [grid(f"Differences of {metric}", [each.cells(_DECIMALS) for each in found], remarks)] if found else []


def _paired_values(row: Method, metric: str) -> dict[object, float]:
    """Return the metric by what pairs it with other methods: seeds, but not the numbers of random architectures."""
    found = values(row, metric)
    return {(row.label, key): value for key, value in found.items()} if row.n_of == _DRAWN else found


def _comparable(a: Method, b: Method) -> bool:
    same = (a.recipe, a.settings["dataset"], a.n_of) == (b.recipe, b.settings["dataset"], b.n_of)
    return same and agree(a.likeness, b.likeness, *TRAINING) and limit_of(a.likeness) == limit_of(b.likeness)


VIEW = View(summary="any metric of retrained networks, and paired differences", value="METRIC", make=make)
