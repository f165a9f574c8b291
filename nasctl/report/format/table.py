"""Tables for a terminal (the default)."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nasctl.report.declaration import Content, Format, Setting
from nasctl.report.grid import Grid

if TYPE_CHECKING:
    from rich.table import Table

_GAP = 2  # blanks between two columns, one of them a divider of rich
_WIDEST = 34  # characters of a cell before it wraps, where space is short
_WIDTH = 120  # characters, where there is no terminal to ask


def write(content: Content, *, width: int | None) -> str:
    """Return the grids one below the other, as wide as the terminal unless ``width`` is given in characters."""
    return "\n".join(terminal(grid, width or terminal_width()) for grid in content.grids)


def terminal_width() -> int:
    """Return the terminal's width in characters."""
    return shutil.get_terminal_size((_WIDTH, 24)).columns


def terminal(grid: Grid, width: int) -> str:
    """Return ``grid`` in lines of at most ``width`` characters.

    A grid that is too wide is broken into blocks of columns, of which each repeats the first one.
    """
    from rich.console import Console

    text = io.StringIO()
    console = Console(file=text, width=width, color_system=None, markup=False, emoji=False, highlight=False)
    console.print(grid.title)
    for block in _blocks(_narrow(grid, width), width) if grid.rows else ():
        console.print(_rich(grid, _widened(block, _widths(grid, width), width)))
    for remark in grid.remarks:
        console.print(remark)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _narrow(grid: Grid, width: int) -> list[int]:
    """Return the least width per column: no more than half of a line."""
    return [min(wanted, (width - _GAP) // 2) for wanted in _widths(grid, min(_WIDEST, width // 2 - _GAP))]


def _widths(grid: Grid, widest: int) -> list[int]:
    """Return a width per column: cells have at most ``widest``, and no word of the header is broken."""
    columns = zip(grid.header, *grid.rows, strict=True)
    return [_width(header, cells, widest) for header, *cells in columns]


def _width(header: str, cells: Sequence[str], widest: int) -> int:
    from rich.cells import cell_len

    words = max(map(cell_len, header.split()))
    return max(words, min(widest, max(map(cell_len, cells))))


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


FORMAT = Format(
    summary="tables for a terminal",
    write=write,
    settings=(Setting("width", int, None, "characters of a line, by default the terminal's"),),
)
