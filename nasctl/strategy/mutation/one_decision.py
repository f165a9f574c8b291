"""Mutation of one decision, as in regularized evolution (https://arxiv.org/abs/1802.01548, section 3)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field

from nasctl import walk
from nasctl.core import Architecture, Choices


class OneDecision:
    """Change one decision to another open option; with ``identity_probability`` return the parent unchanged."""

    def __init__(self, *, identity_probability: Annotated[float, Field(ge=0, le=1)]) -> None:
        self.identity_probability = identity_probability

    def mutate(self, space: Choices, arch: Architecture, generator: torch.Generator) -> Architecture:
        if float(torch.rand((), generator=generator)) < self.identity_probability:
            return arch
        return walk.mutate(space, arch, generator)
