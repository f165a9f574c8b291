"""Parent selection of evolution: which member of the population has the next child."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from nasctl.core import Architecture

Population = Sequence[tuple[Architecture, float]]
"""Architectures with their rewards, the oldest first."""


class ParentSelection(Protocol):
    """Is made from the size of the population."""

    def parent(self, population: Population, generator: torch.Generator) -> Architecture:
        """Return a parent; all random numbers come from ``generator``."""
