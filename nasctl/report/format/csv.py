"""One CSV table with full numbers; a value that is not known is empty."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from nasctl.report.declaration import Content, Format, Line
from nasctl.report.grid import Grid
from nasctl.terminal_text import csv_cell


def write(content: Content) -> str:
    """Return the lines of the content below a header; of a view without numbers, the cells of its grids."""
    return table(_of_grids(content.grids) if content.lines is None else content.lines())


def table(lines: Iterable[Line]) -> str:
    """Return the lines as CSV with the columns of all of them; no cell is one that a spreadsheet computes."""
    rows = [{str(csv_cell(name)): csv_cell(value) for name, value in line.items()} for line in lines]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _of_grids(grids: Sequence[Grid]) -> Iterator[Line]:
    for grid in grids:
        for row in grid.rows:
            yield {"table": grid.title, **dict(zip(grid.header, row, strict=True))}
        for remark in grid.remarks:
            yield {"table": grid.title, "remark": remark}


FORMAT = Format(summary="one table with full numbers", write=write)
