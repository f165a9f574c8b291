"""Retrained methods by any metric of their test, such as the AUC of click logs, and their paired differences.

Where methods were searched with the same seeds, each seed gives them one split and one order of its examples, so two
methods are compared seed by seed: the interval is Student's, of the mean of the differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from nasctl.core import RequestError, unknown
from nasctl.report import view
from nasctl.report.contrast import contrast
from nasctl.report.document import Cells, Grid, grid
from nasctl.report.figure import Figure, count, work
from nasctl.report.label import distinct
from nasctl.report.method import Method, by_seed, methods
from nasctl.report.pair import works
from nasctl.report.record import Run, finite

_DECIMALS = 4


def show(paths: Sequence[str], *, metric: str, format: str) -> str:
    """Return ``metric`` of the networks retrained at or below ``paths``, by method, and the differences of methods."""
    view.check(format)
    return view.over(paths, format, lambda runs: _grids(runs, metric))


def _grids(runs: Sequence[Run], metric: str) -> list[Grid]:
    rows = [row for row in distinct(methods(runs)) if row.recipe is not None]
    if not rows:
        raise RequestError(f"metric={metric}: none of these runs is a retrained network; give what nasctl retrain made")
    known = {name for row in rows for run in row.runs for name in run.metrics}
    if metric not in known:
        raise unknown("metric", metric, sorted(known))
    return [_measured(rows, metric), *_differences(rows, metric)]


def values(row: Method, metric: str) -> dict[object, float]:
    """Return the metric by search seed, averaged over retrain seeds."""

    def value(run: Run) -> float | None:
        return finite(run.metrics.get(metric))

    return by_seed(row.runs, value)


def _measured(rows: Sequence[Method], metric: str) -> Grid:
    remarks = [f"{metric} on the test split, mean ± standard deviation over n seeds; work in multiply-accumulates."]
    return grid(f"Test {metric} of retrained networks", [_cells(row, metric) for row in rows], remarks)


def _cells(row: Method, metric: str) -> Cells:
    figure, used = Figure.of(values(row, metric).values()), works(row)
    return {
        "method": row.label,
        "dataset": str(row.settings["dataset"]),
        metric: "" if figure is None else figure.text(_DECIMALS),
        "params": count(row.params, 2),
        "within the limit": "" if row.feasible is None else "{} of {}".format(*row.feasible),
        "work of a search": work(fmean(used)) if used else "",
    }


def _differences(rows: Sequence[Method], metric: str) -> list[Grid]:
    """Return the grid of each two methods of one data set and recipe that share two seeds or more."""
    pairs = [(a, b) for a, b in combinations(rows, 2) if _alike(a, b)]
    found = [
        cells
        for a, b in pairs
        for cells in contrast((a.label, values(a, metric)), (b.label, values(b, metric)), _DECIMALS)
    ]
    remark = "A difference is of the means over shared search seeds, with its 95 % interval by Student's t."
    return [grid(f"Differences of {metric}, paired by seed", found, [remark])] if found else []


def _alike(a: Method, b: Method) -> bool:
    return (a.recipe, a.settings["dataset"], a.n_of) == (b.recipe, b.settings["dataset"], b.n_of)
