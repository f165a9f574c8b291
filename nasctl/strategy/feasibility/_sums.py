"""Sums over all combinations of independent decisions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nasctl.strategy.feasibility import Mass
from nasctl.strategy.policy._categorical import one_hot


def joined(parts: Sequence[Mass]) -> Mass:
    """Return the masses of all replicas, found part by part."""
    return Mass(torch.cat([part.value for part in parts]), torch.cat([part.expected for part in parts]))


def joint(p: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return the probabilities of all combinations of independent decisions, ``(replicas, combinations)``."""
    product = p.new_ones(len(p), 1)
    for decision, size in enumerate(sizes):
        product = (product[:, :, None] * p[:, decision, None, :size]).flatten(1)
    return product


def indicators(sizes: Sequence[int], options: int) -> Tensor:
    """Return the indicator matrix that marginalises joint mass for each decision.

    ``(combinations, decisions * options)``: 1 where the combination takes that option in that decision.
    """
    if not sizes:
        return torch.zeros(1, 0, dtype=torch.float64)
    combinations = torch.cartesian_prod(*map(torch.arange, sizes)).view(-1, len(sizes))
    return one_hot(combinations, options).flatten(1)


def expected(sums: Sequence[Tensor], value: Tensor, p: Tensor) -> Tensor:
    """Return ``sums (replicas, decisions * options)``, joined, over ``value``; ``p`` where nothing is feasible."""
    mass = value[:, None, None]
    return torch.where(mass > 0, torch.cat(list(sums), 1).view_as(p) / mass, p)
