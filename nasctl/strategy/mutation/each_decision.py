"""Mutation of each decision with a probability, as in SPOS (https://arxiv.org/abs/1904.00420, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field

from nasctl import walk
from nasctl.core import Architecture, Choices


class EachDecision:
    """Sample each decision again with ``probability``, uniformly from what is open; else keep the parent's option."""

    def __init__(self, *, probability: Annotated[float, Field(ge=0, le=1)]) -> None:
        self.probability = probability

    def mutate(self, space: Choices, arch: Architecture, generator: torch.Generator) -> Architecture:
        def take(prefix: Sequence[int], open_: Sequence[int]) -> int:
            kept = arch[len(prefix)] if len(prefix) < len(arch) else None
            again = float(torch.rand((), generator=generator)) < self.probability
            return walk.pick(open_, generator) if again or kept not in open_ else kept  # type: ignore[return-value]

        return walk.extend(space, (), take, walk.to_the_end)
