"""Walk a space through ``legal(prefix)``: the few lines by which any space is sampled and mutated."""

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


def first(space: Choices, prefix: Sequence[int] = ()) -> Architecture:
    """Return the first architecture, in lexicographic order, that begins with ``prefix``."""
    arch = list(prefix)
    while options := space.legal(arch):
        arch.append(min(options))
    return tuple(arch)


def following(space: Choices, arch: Architecture) -> Architecture | None:
    """Return the architecture after ``arch`` in lexicographic order, or None after the last one."""
    for position in reversed(range(len(arch))):
        later = [option for option in space.legal(arch[:position]) if option > arch[position]]
        if later:
            return first(space, (*arch[:position], min(later)))
    return None


def mutate(space: Choices, arch: Architecture, generator: torch.Generator) -> Architecture:
    """Return ``arch`` with one decision changed; later decisions that are no longer open are drawn anew."""
    position = pick([i for i in range(len(arch)) if len(space.legal(arch[:i])) > 1], generator)
    others = [option for option in space.legal(arch[:position]) if option != arch[position]]
    child = [*arch[:position], pick(others, generator)]
    while options := space.legal(child):
        inherited = [option for option in arch[len(child) : len(child) + 1] if option in options]
        child.append(inherited[0] if inherited else pick(options, generator))
    return tuple(child)
