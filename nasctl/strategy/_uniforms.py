"""Random numbers that are a function of seed and position, so that a replica samples the same alone and in a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from nasctl.seeds import position_seed

BLOCK = 2**14  # numbers generated at once from one seed, about


class Uniforms:
    """Uniform numbers of ``shape`` at each position of a stream; each seed has a stream of its own.

    A seed's numbers are generated when they are first asked for, so seeds that wait cost nothing.
    """

    def __init__(self, seeds: Sequence[int], name: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self.seeds, self.name = list(seeds), name
        self.length = max(1, BLOCK // max(1, math.prod(shape)))  # positions of a block
        self.blocks = torch.full((len(self.seeds),), -1)  # that each seed is in
        self.numbers = torch.empty(len(self.seeds), self.length, *shape, dtype=dtype)

    def at(self, rows: Tensor, positions: Tensor) -> Tensor:
        """Return the numbers ``(rows, *shape)`` of the seeds that ``rows`` counts, each at its own position."""
        blocks = positions // self.length
        stale = blocks != self.blocks[rows]
        for row, block in zip(rows[stale].tolist(), blocks[stale].tolist(), strict=True):
            self._generate(row, block)
        return self.numbers[rows, positions % self.length]

    def together(self, position: int) -> Tensor:
        """Return the numbers ``(seeds, *shape)`` that all seeds have at one position."""
        return self.at(torch.arange(len(self.seeds)), torch.full((len(self.seeds),), position))

    def _generate(self, row: int, block: int) -> None:
        generator = torch.Generator().manual_seed(position_seed(self.seeds[row], self.name, block))
        torch.rand(self.numbers[row].shape, generator=generator, out=self.numbers[row])
        self.blocks[row] = block
