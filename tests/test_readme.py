"""The grid in README.md is what can be chosen; ``python -m tests.test_readme`` writes it."""

from __future__ import annotations

from pathlib import Path

from nasctl.report.choices import groups

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- by python -m tests.test_readme -->\n", "<!-- end -->\n"
COUNTED = {"experiment": "papers' settings; `nasctl ls experiment` says what each is"}
"""Groups of more choices than a line holds."""


def grid() -> str:
    """Return a line of Markdown a group."""
    lines = ["| group | choices |", "|---|---|"]
    for group, names in groups(ROOT / "conf").items():
        listed = f"{len(names)} {COUNTED[group]}" if group in COUNTED else ", ".join(f"`{name}`" for name in names)
        lines.append(f"| {group} | {listed} |")
    return "\n".join(lines) + "\n"


def written() -> str:
    """Return README.md with the grid of today."""
    before, _, rest = README.read_text().partition(BEGIN)
    return before + BEGIN + grid() + END + rest.partition(END)[2]


def test_the_grid_is_what_can_be_chosen() -> None:
    assert README.read_text() == written(), "run python -m tests.test_readme"


if __name__ == "__main__":
    README.write_text(written())
