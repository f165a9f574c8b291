"""Tables of LaTeX, as tabular environments that need no package."""

from __future__ import annotations

from nasctl.report.declaration import Content, Format
from nasctl.report.grid import Grid

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    **{character: f"\\{character}" for character in "%_&#${}"},
}


def write(content: Content) -> str:
    """Return the grids one below the other."""
    return "\n".join(map(latex, content.grids))


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


FORMAT = Format(summary="tabular environments of LaTeX that need no package", write=write)
