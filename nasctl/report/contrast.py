"""Two methods compared seed by seed: rows of a table of their differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nasctl.report.document import Cells
from nasctl.report.interval import paired

Values = Mapping[Any, float]
"""A figure of a method by search seed."""


def contrast(a: tuple[str, Values], b: tuple[str, Values], places: int) -> Iterator[Cells]:
    """Yield the mean difference of two methods, each its label and values, if they share two seeds or more."""
    (name, of_a), (other, of_b) = a, b
    differences = [of_a[seed] - of_b[seed] for seed in of_a if seed in of_b]
    if len(differences) > 1:
        shown = paired(differences).text(places)
        yield {"method": name, "less": other, "seeds": str(len(differences)), "difference": shown}
