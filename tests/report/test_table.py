"""The table of the terminal is never wider than it."""

import random

import pytest
from rich.cells import cell_len

from nasctl.report.format import table
from nasctl.report.grid import Grid

LETTERS = "abc/-_.±%[]é中€[bold]0123456789"


@pytest.mark.parametrize("seed", range(10))
def test_no_line_is_wider_than_asked_and_no_character_is_lost(seed):
    draw = random.Random(seed)

    def text(words: int) -> str:
        made = ("".join(draw.choices(LETTERS, k=draw.choice([1, 3, 9, 45]))) for _ in range(draw.randint(1, words)))
        return " ".join(made)

    rows = tuple(tuple(text(6) for _ in range(4)) for _ in range(draw.randint(1, 4)))
    grid = Grid(text(20), tuple(text(2) for _ in range(4)), rows, (text(40), text(9)))
    for width in (20, 40, 80, 120):
        printed = table.terminal(grid, width)
        assert max(map(cell_len, printed.splitlines())) <= width
        for cell in (grid.title, *rows[0], *grid.remarks):
            assert set(cell) - {" "} <= set(printed)
