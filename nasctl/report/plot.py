"""Plots: needs matplotlib, which the extra ``plots`` installs."""

from __future__ import annotations

from typing import IO, Any

from nasctl.errors import RequestError

SUFFIXES = ("pdf", "png", "svg")
DPI = 150
_INCHES = (7.0, 4.5)
_LABEL = 0.16  # inches that an upright label needs


def check(suffix: str) -> None:
    """Raise `RequestError` unless a plot of this kind can be drawn here."""
    if suffix not in SUFFIXES:
        raise RequestError(f"plot: a file ending in .{suffix} cannot be drawn; use {', '.join(SUFFIXES)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise RequestError("plot: needs matplotlib, which is not installed; pip install 'nasctl[plots]'") from error


def canvas(rows: int, labels: int = 0) -> tuple[Any, Any]:
    """Return an empty figure, wide enough for ``labels`` upright tick labels, and its axes, one below the other."""
    from matplotlib.figure import Figure

    width = max(_INCHES[0], labels * _LABEL)
    figure = Figure(figsize=(width, rows * _INCHES[1] * 0.8), layout="constrained")
    return figure, figure.subplots(rows, sharex=True)


def chart() -> tuple[Any, Any]:
    """Return an empty figure and its only axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, layout="constrained")
    return figure, figure.subplots()


def save(figure: Any, file: IO[bytes], kind: str) -> None:
    """Write a figure of matplotlib to an open file."""
    figure.savefig(file, format=kind, dpi=DPI)
