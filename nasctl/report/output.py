"""`nasctl compare`: the comparison in the format asked for, as text and, on request, in a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nasctl.core import RequestError, unknown
from nasctl.report import table
from nasctl.report.comparison import Comparison, gather
from nasctl.report.document import document
from nasctl.report.export import to_csv, to_json

_WIDTH = 120  # characters, where there is no terminal to ask

FORMATS: Mapping[str, Callable[[Comparison, int], str]] = {
    "table": lambda comparison, width: "\n".join(table.terminal(grid, width) for grid in document(comparison)),
    "csv": lambda comparison, _: to_csv(comparison),
    "markdown": lambda comparison, _: "\n".join(map(table.markdown, document(comparison))),
    "latex": lambda comparison, _: "\n".join(map(table.latex, document(comparison))),
    "json": lambda comparison, _: to_json(comparison),
}


def compare(
    paths: Sequence[str],
    *,
    format: str = "table",
    out: str | None = None,
    overwrite: bool = False,
    published: str = "auto",
    width: int | None = None,
) -> str:
    """Return the comparison of the runs at or below ``paths`` (default outputs/), and write it to ``out``.

    ``width`` is in characters, by default the terminal's. Raises `RequestError` on any bad argument; an
    existing ``out`` is left as it is unless ``overwrite``.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    if out is not None:
        _check(Path(out), overwrite)
    text = FORMATS[format](gather(paths, published), width or terminal_width())
    if out is not None:
        _write(Path(out), text)
    return text


def terminal_width() -> int:
    """Return the terminal's width in characters."""
    return shutil.get_terminal_size((_WIDTH, 24)).columns


def _check(out: Path, overwrite: bool) -> None:
    if not out.parent.is_dir():
        raise RequestError(f"out={out}: there is no folder {out.parent}; create it or choose another file")
    if out.is_dir():
        raise RequestError(f"out={out}: is a folder; name a file in it")
    if out.exists() and not overwrite:
        raise RequestError(f"out={out}: exists already; choose another file or add overwrite=true")


def _write(out: Path, text: str) -> None:
    """Replace ``out`` at once by a finished file, so that nobody ever sees half of one."""
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RequestError(f"out={out}: cannot be written ({error.strerror}); choose another file") from error
