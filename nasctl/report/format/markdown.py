"""Tables of GitHub's markdown."""

from __future__ import annotations

import re

from nasctl.report.declaration import Content, Format
from nasctl.report.grid import Grid


def write(content: Content) -> str:
    """Return the grids one below the other."""
    return "\n".join(map(markdown, content.grids))


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


FORMAT = Format(summary="tables of GitHub's markdown", write=write)
