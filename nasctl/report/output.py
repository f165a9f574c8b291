"""`nasctl compare`: the comparison in the format asked for, as text and, on request, in a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from nasctl.errors import RequestError, unknown
from nasctl.report import plot as plots
from nasctl.report import study, table
from nasctl.report.comparison import Comparison, gather
from nasctl.report.document import Grid, document, sizes
from nasctl.report.export import to_csv, to_json
from nasctl.report.scaling import points

_WIDTH = 120  # characters, where there is no terminal to ask

Show = Callable[[Comparison, Sequence[Grid], int], str]
"""(comparison, its grids, characters of a line) -> text."""

FORMATS: Mapping[str, Show] = {
    "table": lambda _, grids, width: "\n".join(table.terminal(grid, width) for grid in grids),
    "csv": lambda comparison, *_: to_csv(comparison),
    "runs_csv": lambda comparison, *_: study.to_csv(comparison.methods),
    "markdown": lambda _, grids, width: "\n".join(map(table.markdown, grids)),
    "latex": lambda _, grids, width: "\n".join(map(table.latex, grids)),
    "json": lambda comparison, *_: to_json(comparison),
}


def compare(
    paths: Sequence[str],
    *,
    format: str = "table",
    out: str | None = None,
    overwrite: bool = False,
    published: str = "auto",
    x: str | None = None,
    plot: str | None = None,
    width: int | None = None,
) -> str:
    """Return the comparison of the runs at or below ``paths`` (default outputs/), and write it to ``out``.

    ``x`` (params or macs) adds the errors against that size, which ``plot`` draws into a file. ``width`` is in
    characters, by default the terminal's. Raises `RequestError` on any bad argument; an
    existing ``out`` is left as it is unless ``overwrite``.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    for name, file in (("out", out), ("plot", plot)):
        if file is not None:
            check_target(name, Path(file), overwrite)
    if plot is not None:
        _check_plot(Path(plot), x)
    comparison = gather(paths, published)
    found = [] if x is None else points(comparison.methods, x)
    grids = document(comparison) + ([] if x is None else [sizes(found, x)])
    text = FORMATS[format](comparison, grids, width or terminal_width())
    if out is not None:
        write("out", Path(out), lambda file: file.write(text.encode()))
    if plot is not None and x is not None:
        write("plot", Path(plot), lambda file: plots.draw(found, x, file, Path(plot).suffix[1:]))
    return text


def terminal_width() -> int:
    """Return the terminal's width in characters."""
    return shutil.get_terminal_size((_WIDTH, 24)).columns


def check_target(name: str, out: Path, overwrite: bool) -> None:
    """Raise `RequestError` unless the file ``out``, the setting ``name``, can be written."""
    if not out.parent.is_dir():
        raise RequestError(f"{name}={out}: there is no folder {out.parent}; create it or choose another file")
    if out.is_dir():
        raise RequestError(f"{name}={out}: is a folder; name a file in it")
    if out.exists() and not overwrite:
        raise RequestError(f"{name}={out}: exists already; choose another file or add overwrite=true")


def _check_plot(plot: Path, x: str | None) -> None:
    if x is None:
        raise RequestError(f"plot={plot}: against what? add x=params or x=macs")
    plots.check(plot.suffix[1:])


def write(name: str, out: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Replace ``out`` at once by a finished file, so that nobody ever sees half of one."""
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            write(file)
        os.replace(partial, out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RequestError(f"{name}={out}: cannot be written ({error.strerror}); choose another file") from error
