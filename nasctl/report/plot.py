"""Error against size as a plot; needs matplotlib, which the extra ``plots`` installs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

from nasctl.errors import RequestError
from nasctl.report.scaling import AXES, Point, series
from nasctl.terminal_text import plot_label

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


def draw(found: Sequence[Point], axis: str, file: IO[bytes], suffix: str) -> None:
    """Draw the series over a logarithmic axis, with the standard deviation of each error."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, layout="constrained")
    axes = figure.subplots()
    for name, line in series(found).items():
        spread = [point.error.std or 0.0 for point in line]
        means = [point.error.mean for point in line]
        axes.errorbar([point.x for point in line], means, yerr=spread, label=plot_label(name), marker="o", capsize=3)
    axes.set(
        xscale="log", xlabel=AXES[axis], ylabel=" and ".join(dict.fromkeys(f"test {point.measure}" for point in found))
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(file, format=suffix, dpi=DPI)
