"""Grids: titled tables of text, which views make and output formats print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nasctl.terminal_text import shown

Cells = Mapping[str, str]
"""The text of a row by column name."""


@dataclass(frozen=True)
class Grid:
    """A titled table of text with the remarks below it; the first column names the row."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Escape characters that would steer a terminal, wherever the text came from."""
        object.__setattr__(self, "title", shown(self.title))
        object.__setattr__(self, "header", tuple(map(shown, self.header)))
        object.__setattr__(self, "rows", tuple(tuple(map(shown, row)) for row in self.rows))
        object.__setattr__(self, "remarks", tuple(map(shown, self.remarks)))


def grid(title: str, rows: Sequence[Cells], remarks: Sequence[str] = ()) -> Grid:
    """Return the grid of ``rows``: columns in order of first appearance, empty ones dropped."""
    names = dict.fromkeys(name for row in rows for name in row)
    header = tuple(name for name in names if any(row.get(name) for row in rows))
    return Grid(title, header, tuple(tuple(row.get(name, "") for name in header) for row in rows), tuple(remarks))
