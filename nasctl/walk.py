"""Walk a space through ``legal(prefix)``: what strategies and estimators need alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch

from nasctl.core import Architecture, Choices

T = TypeVar("T")


def pick(options: Sequence[T], generator: torch.Generator) -> T:
    """Return one of ``options``, uniformly."""
    return options[int(torch.randint(len(options), (), generator=generator))]


def uniform(space: Choices, generator: torch.Generator) -> Architecture:
    """Return an architecture whose every decision is uniform over what is open."""
    arch: list[int] = []
    while options := space.legal(arch):
        arch.append(pick(options, generator))
    return tuple(arch)


def independent(space: Choices) -> bool:
    """Return whether every decision is always taken and has the same options whatever came before.

    Looked at are the lowest and the highest prefix of each length.
    """
    low: tuple[int, ...] = ()
    high: tuple[int, ...] = ()
    for options in (*(decision.options for decision in space.decisions), ()):
        if any(list(space.legal(prefix)) != list(range(len(options))) for prefix in (low, high)):
            return False
        low, high = (*low, 0), (*high, len(options) - 1)
    return True
