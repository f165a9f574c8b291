"""Methods beside each other: errors over seeds, costs, random search at equal work, and published rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from nasctl.report._read.record import Run
from nasctl.report.declaration import Content, Setting, View
from nasctl.report.view._comparison import export
from nasctl.report.view._comparison.comparison import compared
from nasctl.report.view._comparison.document import document, sizes
from nasctl.report.view._comparison.scaling import draw, points


def make(runs: Sequence[Run], value: str, *, published: str, x: str | None) -> Content:
    """Return the comparison of ``runs``; ``x`` adds the errors against that size, also as a plot."""
    comparison = compared(runs, published)
    found = [] if x is None else points(comparison.methods, x)
    return Content(
        grids=document(comparison) + ([] if x is None else [sizes(found, x)]),
        lines=partial(export.lines, comparison),
        record=partial(export.record, comparison),
        rows=comparison.methods,
        draw=None if x is None else partial(draw, found, x),
        not_drawn="against what? add x=params, x=macs or another cost",
    )


VIEW = View(
    summary="methods over seeds, costs, random search at equal work, published rows",
    value="",
    make=make,
    settings=(
        Setting("published", str, "auto", "published rows: auto, all, none or the name of a table"),
        Setting("x", str, None, "adds errors against a cost: params, macs or another that the runs record"),
    ),
    draws=True,
    lists_unfinished=True,
)
