"""Grids of text as a terminal table, markdown or LaTeX."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nasctl.report.document import Grid

if TYPE_CHECKING:
    from rich.table import Table

_GAP = 2  # blanks between two columns, one of them a divider of rich
_WIDEST = 34  # characters of a cell before it wraps, where space is short
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    **{character: f"\\{character}" for character in "%_&#${}"},
}


def terminal(grid: Grid, width: int) -> str:
    """Return ``grid`` in lines of at most ``width`` characters.

    A grid that is too wide is broken into blocks of columns, of which each repeats the first one.
    """
    from rich.console import Console

    text = io.StringIO()
    console = Console(file=text, width=width, color_system=None, markup=False, emoji=False, highlight=False)
    console.print(grid.title)
    narrow = _widths(grid, min(_WIDEST, width // 2 - _GAP))
    for block in _blocks(narrow, width) if grid.rows else ():
        console.print(_rich(grid, _widened(block, _widths(grid, width), width)))
    for remark in grid.remarks:
        console.print(remark)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def markdown(grid: Grid) -> str:
    """Return ``grid`` as a table of GitHub's markdown with its remarks as a list."""
    lines = [grid.header, ["---"] * len(grid.header), *grid.rows] if grid.rows else []
    table = ["| " + " | ".join(map(plain_markdown, line)) + " |" for line in lines]
    parts = [[f"**{_unmarked(grid.title)}**"], table, [f"- {_unmarked(remark)}" for remark in grid.remarks]]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def plain_markdown(text: str) -> str:
    """Return a cell in which nothing is a column, a link, an image, code or HTML."""
    return _unmarked(text).replace("|", "\\|")


def _unmarked(text: str) -> str:
    return re.sub(r"([\\`]|(?<=\])\()", r"\\\1", text).replace("<", "&lt;")


def latex(grid: Grid) -> str:
    """Return ``grid`` as a plain ``tabular`` that needs no package, with its remarks as paragraphs."""
    lines = [" & ".join(map(escape, line)) + r" \\" for line in (grid.header, *grid.rows)]
    tabular = [f"\\begin{{tabular}}{{{'l' + 'r' * (len(grid.header) - 1)}}}", r"\hline", lines[0], r"\hline"]
    table = [*tabular, *lines[1:], r"\hline", r"\end{tabular}"] if grid.rows else []
    parts = [[rf"\textbf{{{escape(grid.title)}}}"], table, *([escape(remark)] for remark in grid.remarks)]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def escape(text: str) -> str:
    """Return ``text`` with LaTeX's special characters written out."""
    escaped = "".join(_LATEX.get(character, character) for character in text)
    return f"{{{escaped[0]}}}{escaped[1:]}" if escaped[:1] in ("[", "*") else escaped  # else \\ above would take it


def _widths(grid: Grid, widest: int) -> list[int]:
    """Return a width per column: cells have at most ``widest``, and no word of the header is broken."""
    columns = zip(grid.header, *grid.rows, strict=True)
    return [_width(header, cells, widest) for header, *cells in columns]


def _width(header: str, cells: Sequence[str], widest: int) -> int:
    words = max(map(len, header.split()))
    return max(words, min(widest, max(map(len, cells))))


def _blocks(widths: list[int], width: int) -> list[dict[int, int]]:
    """Return the widths by column of each block, filled from the left."""
    blocks: list[dict[int, int]] = [{0: widths[0]}]
    for column, wanted in enumerate(widths[1:], start=1):
        used = sum(blocks[-1].values()) + _GAP * len(blocks[-1])
        if used + wanted > width and len(blocks[-1]) > 1:
            blocks.append({0: widths[0]})
        blocks[-1][column] = wanted
    return blocks


def _widened(block: dict[int, int], wanted: list[int], width: int) -> dict[int, int]:
    """Return ``block`` with the space that is left given to columns that want more, from the left."""
    spare = width - sum(block.values()) - _GAP * (len(block) - 1)
    widened = {}
    for column, now in block.items():
        more = max(0, min(spare, wanted[column] - now))
        widened[column], spare = now + more, spare - more
    return widened


def _rich(grid: Grid, block: dict[int, int]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.HORIZONTALS, padding=(0, _GAP - 1, 0, 0), pad_edge=False, show_edge=False)
    for column, width in block.items():
        table.add_column(grid.header[column], width=width, overflow="fold")
    for row in grid.rows:
        table.add_row(*(row[column] for column in block))
    return table
