"""Random numbers that are a function of seed and turn, so that a replica draws the same alone and in a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nasctl.core import position_seed

BLOCK = 2**14  # numbers drawn at once from one seed, about


class Uniforms:
    """Uniform numbers ``(seeds, rows, columns)`` of each turn; each seed has a stream of its own."""

    def __init__(self, seeds: Sequence[int], name: str, rows: int, columns: int) -> None:
        self.seeds, self.name, self.rows, self.columns = list(seeds), name, rows, columns
        self.turns = max(1, BLOCK // (rows * columns))
        self.block, self.numbers = -1, torch.empty(0)

    def at(self, turn: int) -> Tensor:
        """Return the numbers of one turn."""
        block, place = divmod(turn, self.turns)
        if block != self.block:
            self.block, self.numbers = block, self._draw(block)
        return self.numbers[:, place]

    def _draw(self, block: int) -> Tensor:
        numbers = torch.empty(len(self.seeds), self.turns, self.rows, self.columns, dtype=torch.float64)
        for seed, own in zip(self.seeds, numbers, strict=True):
            generator = torch.Generator().manual_seed(position_seed(seed, self.name, block))
            torch.rand(own.shape, generator=generator, out=own)
        return numbers
