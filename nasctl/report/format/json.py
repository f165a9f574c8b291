"""One JSON object with full numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nasctl.report.declaration import Content, Format
from nasctl.report.grid import Grid
from nasctl.terminal_text import shown_json


def write(content: Content) -> str:
    """Return the content's record; of a view without one, the text of its grids."""
    record = content.record() if content.record is not None else {"tables": [_table(grid) for grid in content.grids]}
    return shown_json(json.dumps(record, indent=2, ensure_ascii=False)) + "\n"


def _table(grid: Grid) -> Mapping[str, Any]:
    rows = [dict(zip(grid.header, row, strict=True)) for row in grid.rows]
    return {"title": grid.title, "rows": rows, "remarks": list(grid.remarks)}


FORMAT = Format(summary="one object with full numbers", write=write)
