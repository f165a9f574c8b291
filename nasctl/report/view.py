"""What the views of `nasctl compare` share: their formats, and plots that are written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nasctl.core import unknown
from nasctl.report import plot as plots
from nasctl.report import table
from nasctl.report.document import Grid
from nasctl.report.output import check_target, terminal_width, write

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


def text(grids: Sequence[Grid], format: str) -> str:
    """Return the grids one below the other."""
    return "\n".join(map(FORMATS[format], grids))


def save(figure: Any, plot: str) -> None:
    """Write a figure of matplotlib to the file ``plot``."""
    file = Path(plot)
    write("plot", file, lambda stream: figure.savefig(stream, format=file.suffix[1:], dpi=plots.DPI))
