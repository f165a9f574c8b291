"""The published genotypes that ship, a JSON file each in a folder of the family's name."""

from __future__ import annotations

from pathlib import Path

PUBLISHED = Path(__file__).resolve().parents[1] / "space" / "genotypes"


def names(family: str) -> list[str]:
    """Return the names of the published genotypes of a family."""
    return sorted(path.stem for path in (PUBLISHED / family).glob("*.json"))


def named(name: str, family: str) -> Path | None:
    """Return the file of a published genotype; None if there is none of that name."""
    return PUBLISHED / family / f"{name}.json" if name in names(family) else None
