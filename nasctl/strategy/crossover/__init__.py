"""Crossover of evolution: how a child is made of two parents."""

from __future__ import annotations

from typing import Protocol

import torch

from nasctl.core import Architecture, Choices


class Crossover(Protocol):
    """Has settings only; the space is handed over with each pair of parents."""

    def cross(
        self, space: Choices, first: Architecture, second: Architecture, generator: torch.Generator
    ) -> Architecture:
        """Return a child of both parents; all random numbers come from ``generator``."""
