"""Uniform crossover: each decision is that of either parent (Syswerda 1989)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field

from nasctl import walk
from nasctl.core import Architecture, Choices


class UniformCrossover:
    """Take each decision from the second parent with ``probability``, else from the first.

    Where the option is not open the other parent's counts, and where neither is, a uniform sample.
    """

    def __init__(self, *, probability: Annotated[float, Field(ge=0, le=1)]) -> None:
        self.probability = probability

    def cross(
        self, space: Choices, first: Architecture, second: Architecture, generator: torch.Generator
    ) -> Architecture:
        def take(prefix: Sequence[int], open_: Sequence[int]) -> int:
            swapped = float(torch.rand((), generator=generator)) < self.probability
            parents = (second, first) if swapped else (first, second)
            options = [arch[len(prefix)] for arch in parents if len(prefix) < len(arch)]
            inherited = [option for option in options if option in open_]
            return inherited[0] if inherited else walk.pick(open_, generator)

        return walk.extend(space, (), take, walk.to_the_end)
