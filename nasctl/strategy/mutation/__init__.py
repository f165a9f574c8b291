"""Mutation of evolution: how a child differs from its parent."""

from __future__ import annotations

from typing import Protocol

import torch

from nasctl.core import Architecture, Choices


class Mutation(Protocol):
    """Has settings only; the space is handed over with each parent."""

    def mutate(self, space: Choices, arch: Architecture, generator: torch.Generator) -> Architecture:
        """Return a mutant of ``arch``; all random numbers come from ``generator``."""
