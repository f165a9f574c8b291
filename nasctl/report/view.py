"""What the views of `nasctl compare` share: their formats, and plots that are written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasctl.errors import RequestError, unknown
from nasctl.report import plot as plots
from nasctl.report import table
from nasctl.report.document import Grid
from nasctl.report.output import check_target, terminal_width, write
from nasctl.report.record import Run, find, sparing
from nasctl.runs.reader import DamagedError

FORMATS: Mapping[str, Callable[[Grid], str]] = {
    "table": lambda grid: table.terminal(grid, terminal_width()),
    "markdown": table.markdown,
    "latex": table.latex,
}


def check(format: str, plot: str | None = None, overwrite: bool = False) -> None:
    """Raise `RequestError` for an unknown format, or a plot that cannot be drawn here and written there."""
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    if plot is not None:
        check_target("plot", Path(plot), overwrite)
        plots.check(Path(plot).suffix[1:])


def over(paths: Sequence[str], format: str, make: Callable[[list[Run]], Iterable[Grid]]) -> str:
    """Return the grids that ``make`` makes of the runs at or below ``paths``; damaged runs are named below them."""
    return sparing(find(paths), lambda runs: text(_marked(runs, make), format))


def _marked(runs: list[Run], make: Callable[[list[Run]], Iterable[Grid]]) -> list[Grid]:
    damaged = [f"{run.path} ({run.unfinished()})" for run in runs if run.status == "damaged"]
    try:
        grids = list(make(runs))
    except RequestError as error:
        if not damaged or isinstance(error, DamagedError):
            raise
        raise RequestError(f"{error}; left out: {'; '.join(damaged)}") from error
    last = replace(grids[-1], remarks=(*grids[-1].remarks, *(f"Left out: {each}." for each in damaged)))
    return [*grids[:-1], last]


def text(grids: Sequence[Grid], format: str) -> str:
    """Return the grids one below the other."""
    return "\n".join(map(FORMATS[format], grids))


def save(figure: Any, plot: str) -> None:
    """Write a figure of matplotlib to the file ``plot``."""
    file = Path(plot)
    write("plot", file, lambda stream: figure.savefig(stream, format=file.suffix[1:], dpi=plots.DPI))
