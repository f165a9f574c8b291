"""Walk a space through ``legal(prefix)``: the few lines by which any space is sampled, mutated and enumerated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch

from nasctl.core import Architecture, Choices
from nasctl.walk import pick, uniform

__all__ = ["changed", "first", "following", "mutate", "neighbours", "permutation", "pick", "picks", "uniform"]

T = TypeVar("T")


def picks(options: Sequence[T], count: int, generator: torch.Generator) -> list[T]:
    """Return ``count`` of ``options``, each uniformly, with replacement: what as many calls of `pick` return."""
    return [options[i] for i in torch.randint(len(options), (count,), generator=generator).tolist()]


def permutation(count: int, generator: torch.Generator) -> list[int]:
    """Return the numbers below ``count`` in random order."""
    order: list[int] = torch.randperm(count, generator=generator).tolist()
    return order


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
    return changed(space, arch, position, pick(others, generator), generator)


def neighbours(space: Choices, arch: Architecture, generator: torch.Generator) -> list[Architecture]:
    """Return ``arch`` with one decision changed, in every way."""
    ways = [(i, option) for i in range(len(arch)) for option in space.legal(arch[:i]) if option != arch[i]]
    return [changed(space, arch, position, option, generator) for position, option in ways]


def changed(space: Choices, arch: Architecture, position: int, option: int, generator: torch.Generator) -> Architecture:
    """Return ``arch`` with ``option`` at ``position``; later decisions that are no longer open are drawn anew."""
    child = [*arch[:position], option]
    while options := space.legal(child):
        inherited = [option for option in arch[len(child) : len(child) + 1] if option in options]
        child.append(inherited[0] if inherited else pick(options, generator))
    return tuple(child)
