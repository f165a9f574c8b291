"""Tournament selection: the best of a random sample (Goldberg and Deb 1991)."""

from __future__ import annotations

import torch
from pydantic import PositiveInt

from nasctl import walk
from nasctl.core import Architecture
from nasctl.errors import RequestError
from nasctl.strategy.parent_selection import Population


class Tournament:
    """The parent is the best of ``sample_size`` members, sampled with replacement."""

    def __init__(self, population_size: int, *, sample_size: PositiveInt) -> None:
        if sample_size > population_size:
            raise RequestError(
                f"strategy: parent_selection.sample_size ({sample_size}) must be at most population_size "
                f"({population_size}); lower it"
            )
        self.sample_size = sample_size

    def parent(self, population: Population, generator: torch.Generator) -> Architecture:
        sampled = walk.picks(population, self.sample_size, generator)
        return max(sampled, key=lambda member: member[1])[0]
