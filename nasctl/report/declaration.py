"""What a view of `nasctl compare` and an output format declare: their settings, and the function that does the work.

A view is a module with a constant ``VIEW``, a format one with ``FORMAT``; the file's name is the choice's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from nasctl.errors import RequestError, unknown
from nasctl.report.grid import Grid

if TYPE_CHECKING:
    from nasctl.report._read.method import Method

Line = Mapping[str, Any]
"""A line of a CSV file: values by column name."""

_BOOLEANS = {"true": True, "false": False}
_WORDS = {bool: "true or false", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Setting:
    """A setting ``NAME=VALUE``: the type of its value, the value where none is given, and what it means.

    ``choices`` are the only values, where there are some.
    """

    name: str
    kind: type[bool] | type[int] | type[float] | type[str]
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()

    def read(self, value: Any) -> Any:
        """Return the value of a text from the command line, or raise `RequestError`; other values as they are."""
        if isinstance(value, str) and self.choices and value not in self.choices:
            raise unknown(self.name, value, self.choices)
        if not isinstance(value, str) or self.kind is str:
            return value
        try:
            return _BOOLEANS[value.lower()] if self.kind is bool else self.kind(value)
        except (KeyError, ValueError):
            raise RequestError(f"{self.name}={value}: must be {_WORDS[self.kind]}") from None


@dataclass(frozen=True)
class Content:
    """What a view makes of runs: grids of text and, where it has them, the same as data and as a plot.

    ``lines`` and ``record`` hold full numbers for CSV and JSON; without them these formats write the grids' text.
    ``rows`` are the rows whose runs are listed one by one. ``draw`` writes a plot of a kind (png, pdf or svg).
    """

    grids: Sequence[Grid]
    lines: Callable[[], Iterable[Line]] | None = None
    record: Callable[[], Mapping[str, Any]] | None = None
    rows: Sequence[Method] | None = None
    draw: Callable[[IO[bytes], str], None] | None = None
    not_drawn: str = "there is nothing to draw; leave plot out"  # why there is no ``draw``, and the remedy


@dataclass(frozen=True)
class View:
    """A view of `nasctl compare`, chosen by ``NAME=VALUE``.

    ``make`` takes the runs, the value as text, and each of ``settings`` by its name. ``value`` says what VALUE is.
    """

    summary: str  # a line of nasctl compare --help
    value: str
    make: Callable[..., Content]
    settings: tuple[Setting, ...] = ()
    draws: bool = False  # whether plot=FILE can be given
    lists_unfinished: bool = False  # whether its grids name damaged runs; else a remark is added


@dataclass(frozen=True)
class Format:
    """An output format: ``write`` takes the content and each of ``settings`` by its name, and returns the text."""

    summary: str
    write: Callable[..., str]
    settings: tuple[Setting, ...] = ()


VIEW, FORMAT = "comparison", "table"
"""The view and the format where none is named."""

PLOT = Setting("plot", str, None, "file for a plot: .png, .pdf or .svg")
COMMON = (
    Setting("format", str, FORMAT, "output format"),
    Setting("out", str, None, "file for the output"),
    Setting("overwrite", bool, False, "whether existing files of out and plot are replaced"),
)
"""Settings of every view; `PLOT` is one of those that draw."""
