"""docs/architecture.md names the rooms that there are, and an import points down its floors."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_layers import PACKAGE, ROOT, imported

TEXT = (ROOT / "docs" / "architecture.md").read_text()
FLOORS = {
    room: int(floor)
    for floor, rooms in re.findall(r"^\| (\d+) \| (`[^|]*) \|", TEXT, re.MULTILINE)
    for room in re.findall(r"`(\w+)`", rooms)
}
GROUND = max(FLOORS.values())
EXCEPTIONS = {("search", "genotype_source")}
"""A selection says where its architectures come from."""


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def arrows() -> set[tuple[str, str]]:
    """Return each pair of rooms of which the first imports from the second."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        others = {name.partition(".")[0] for name in imported(path)} & set(FLOORS)
        found |= {(room_of(path), other) for other in others - {room_of(path)}}
    return found


def test_the_rooms_are_those_of_the_tree() -> None:
    assert set(FLOORS) == {room_of(path) for path in PACKAGE.rglob("*.py")}


def test_an_import_points_down() -> None:
    up = {(one, other) for one, other in arrows() if FLOORS[one] >= FLOORS[other] != GROUND}
    assert up <= EXCEPTIONS, sorted(up - EXCEPTIONS)


def test_the_files_that_it_names_are_there() -> None:
    for name in re.findall(r"`((?:nasctl|tests)/[\w/]+\.py)`", TEXT):
        assert (ROOT / name).is_file(), name


def test_it_is_a_page() -> None:
    assert len(TEXT.splitlines()) <= 80
