"""The table of the terminal, beside the same table drawn by rich, which takes too long to import."""

import io
import random

import pytest
from rich import box
from rich.console import Console
from rich.table import Table

from nasctl.report.format import table
from nasctl.report.grid import Grid

LETTERS = "abc/-_.±%[]é中€[bold]0123456789"


def drawn_by_rich(grid: Grid, width: int) -> str:
    text = io.StringIO()
    console = Console(file=text, width=width, color_system=None, markup=False, emoji=False, highlight=False)
    console.print(grid.title)
    for block in table._blocks(table._narrow(grid, width), width) if grid.rows else ():
        widths = table._widened(block, table._widths(grid, width), width)
        found = Table(box=box.HORIZONTALS, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        for column, wanted in widths.items():
            found.add_column(grid.header[column], width=wanted, overflow="fold")
        for row in grid.rows:
            found.add_row(*(row[column] for column in widths))
        console.print(found)
    for remark in grid.remarks:
        console.print(remark)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("seed", range(40))
def test_a_table_is_drawn_as_rich_draws_it(seed):
    draw = random.Random(seed)

    def text(words: int) -> str:
        made = ("".join(draw.choices(LETTERS, k=draw.choice([1, 3, 9, 45]))) for _ in range(draw.randint(0, words)))
        return draw.choice([" ", "  "]).join(made) or "-"

    rows = tuple(tuple(text(6) for _ in range(4)) for _ in range(draw.randint(0, 4)))
    grid = Grid(text(20), tuple(text(2) for _ in range(4 if rows else 0)), rows, (text(40), text(9)))
    for width in (20, 40, 80, 120):
        assert table.terminal(grid, width) == drawn_by_rich(grid, width)
