"""What a view of `nasctl compare` or an output format of your own is written with (docs/views.md)."""

from nasctl.report._read.label import distinct
from nasctl.report._read.method import Method, methods
from nasctl.report._read.record import Run, finite
from nasctl.report._read.trial import Trial, trials
from nasctl.report._statistics.figure import Figure
from nasctl.report.declaration import Content, Format, Setting, View
from nasctl.report.grid import Grid, grid

__all__ = [
    "Content",
    "Figure",
    "Format",
    "Grid",
    "Method",
    "Run",
    "Setting",
    "Trial",
    "View",
    "distinct",
    "finite",
    "grid",
    "methods",
    "trials",
]
