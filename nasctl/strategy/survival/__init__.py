"""Survival of evolution: which member of a population that is one too large dies."""

from __future__ import annotations

from typing import Protocol

from nasctl.strategy.parent_selection import Population


class Survival(Protocol):
    """Has settings only."""

    def dies(self, population: Population) -> int:
        """Return the position of the member to remove."""
