"""Text that a stranger wrote, in terminals, tables, plots and names of folders."""

from __future__ import annotations

import csv
import io
import json

import pytest

from nasctl.report.format.latex import latex
from nasctl.report.format.markdown import markdown
from nasctl.report.format.table import terminal
from nasctl.report.grid import Grid
from nasctl.terminal_text import csv_cell, folder_part, plot_label, shown, shown_json, shown_lines

STEERING = {
    "\x1b[31mred": "\\x1b[31mred",
    "\x1b]0;title\x07": "\\x1b]0;title\\x07",
    "a\nb": "a\\nb",
    "a\r\tb": "a\\r\\tb",
    "\x9b2J": "\\x9b2J",
    "\u202egnp": "\\u202egnp",
    "\u2066x": "\\u2066x",
    "a\u200bb": "a\\u200bb",
    "\u2028": "\\u2028",
    "\ufeffx": "\\ufeffx",
    "\x00\x7f": "\\x00\\x7f",
    "\udc80": "\\udc80",
    "\U000e0041": "\\U000e0041",
}
PLAIN = ("", "DARTS (2nd order)", "ü ± 日本 ☃ 🙂", "a\\nb", "non\u00a0breaking")


@pytest.mark.parametrize("text, safe", STEERING.items())
def test_what_steers_a_terminal_is_written_as_an_escape(text: str, safe: str) -> None:
    assert shown(text) == safe
    shapes = [Grid(text, ("a", text), (("x", text),), (text,)), Grid("t", ("a",), ((text,),))]
    for grid in shapes:
        for show in (lambda grid: terminal(grid, 200), markdown, latex):
            assert not set(text) & set(show(grid)) - set(safe) - {"\n"}
            assert show(grid).replace("\n", "").isprintable()


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_stays(text: str) -> None:
    assert shown(text) == text


def test_line_ends_of_the_program_stay() -> None:
    assert shown_lines("a\n\x1bb\n") == "a\n\\x1bb\n"


@pytest.mark.parametrize("text", [*STEERING, *PLAIN])
def test_json_shows_escapes_and_holds_the_same_data(text: str) -> None:
    made = shown_json(json.dumps({"a": text, text: [1]}, indent=1, ensure_ascii=False))
    assert json.loads(made) == {"a": text, text: [1]} and made.replace("\n", "").replace("\u00a0", "").isprintable()


@pytest.mark.parametrize(
    "value, cell",
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "\\t=1"),
        ("\r=1", "\\r=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("-foo", "'-foo"),
        ("-1.5", "-1.5"),
        ("+3", "+3"),
        ("-1e-8", "-1e-8"),
        (-1.5, -1.5),
        (None, None),
        (True, True),
        ("a=b", "a=b"),
        ("", ""),
        ("\x1b=1", "\\x1b=1"),
    ],
)
def test_a_cell_is_never_a_formula(value: object, cell: object) -> None:
    assert csv_cell(value) == cell


def test_a_cell_comes_back_through_csv() -> None:
    text = io.StringIO()
    csv.writer(text).writerow([csv_cell('=a,"b"\n;=c')])
    assert next(csv.reader(io.StringIO(text.getvalue()))) == ['\'=a,"b"\\n;=c']


@pytest.mark.parametrize(
    "text, in_markdown, in_latex",
    [
        ("a | b", "a \\| b", "a | b"),
        ("a \\| b", "a \\\\\\| b", "a \\textbackslash{}| b"),
        ("![x](http://x/y)", "![x]\\(http://x/y)", "![x](http://x/y)"),
        ("<script>1</script>", "&lt;script>1&lt;/script>", "<script>1</script>"),
        ("`x`", "\\`x\\`", "`x`"),
        ("\\input{/etc/passwd}", "\\\\input{/etc/passwd}", "\\textbackslash{}input\\{/etc/passwd\\}"),
        (
            "$x$ 5 % #1 a_b & ~ ^",
            "$x$ 5 % #1 a_b & ~ ^",
            "\\$x\\$ 5 \\% \\#1 a\\_b \\& \\textasciitilde{} \\textasciicircum{}",
        ),
        ("[5cm] x", "[5cm] x", "{[}5cm] x"),
        ("* x", "* x", "{*} x"),
    ],
)
def test_tables_in_markdown_and_latex_hold_text(text: str, in_markdown: str, in_latex: str) -> None:
    grid = Grid("t", ("a", "b"), ((text, "1"),))
    assert f"\n| {in_markdown} | 1 |\n" in markdown(grid)
    assert f"\n{in_latex} & 1 \\\\\n" in latex(grid)


def test_a_plot_shows_dollars() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    figure.subplots().set(title=plot_label("$\\frac$ \x1b"))
    figure.savefig(io.BytesIO(), format="svg")
    assert plot_label("$x") == "\\$x"


@pytest.mark.parametrize(
    "name", ["../../x", "..", "/etc/passwd", "a/b", "a\\b", "x" * 300, "a\x00b", "a\nb", "\x1b", "DARTS_V2", "my run"]
)
def test_a_folder_part_stays_in_its_folder(name: str) -> None:
    part = folder_part(name)
    assert not set(part) & set("/\\\0\n\x1b") - {"\\"} and len(part) <= 100
    assert part == name or name not in ("DARTS_V2", "my run")
