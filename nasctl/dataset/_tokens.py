"""A long text as batches: parallel columns, read a stretch of rows at a time.

The reading of Merity et al. 2018, https://arxiv.org/abs/1708.02182, section 5: the text is cut into as many
columns as the batch has places, and the length of the stretch that is back-propagated through varies.
"""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
import torch
from pydantic import BaseModel, Field, NonNegativeFloat, PositiveInt, model_validator
from torch import Tensor

from nasctl.errors import RequestError
from nasctl.seeds import position_seed


class Lengths(BaseModel, extra="forbid", frozen=True):
    """How lengths of steps are drawn: normal about ``bptt``, or about half of it in a share ``half`` of the steps.

    They are cut to whole tokens within ``shortest`` and ``longest``. With ``half`` and ``std`` 0 every step has
    exactly ``bptt``.
    """

    half: Annotated[float, Field(ge=0, lt=1)]
    std: NonNegativeFloat
    shortest: PositiveInt
    longest: PositiveInt

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError(f"shortest ({self.shortest}) must be at most longest ({self.longest})")
        return self

    def draw(self, bptt: int, count: int, seed: int) -> np.ndarray:
        """Return ``(count,)`` lengths, int64, a pure function of the arguments."""
        if not self.half and not self.std:
            return np.full(count, bptt)
        generator = np.random.default_rng(seed)
        mean = np.where(generator.random(count) < self.half, bptt / 2, bptt)
        lengths = generator.normal(mean, self.std).astype(np.int64)
        return lengths.clip(self.shortest, self.longest)


FIXED = Lengths(half=0, std=0, shortest=1, longest=1)
"""Every step has ``bptt`` tokens: validation and test."""


class TokenSplit:
    """Tokens ``(n,)`` int64 as a `nasctl.core.Split`; its examples are the n - 1 tokens that have one before them.

    A batch of ``size`` columns holds every ``size``-th part of the text, up to ``columns`` of them; what is left
    over at the end is not read. The batches of an epoch follow each other in the text, so that a hidden state can
    be carried from one to the next, and begin anew in the next epoch. ``name`` and ``seed`` draw the lengths.
    """

    def __init__(
        self,
        tokens: Tensor,
        seed: int,
        name: str,
        *,
        bptt: int,
        lengths: Lengths,
        columns: int | None,
    ) -> None:
        self.tokens, self.seed, self.name = tokens, seed, name
        self.bptt, self.lengths, self.columns = bptt, lengths, columns
        self._size, self._columns = 0, tokens
        self._epoch: tuple[int, int] | None = None
        self._bounds: list[int] = []

    def __len__(self) -> int:
        """Return the number of tokens to be predicted."""
        return max(0, len(self.tokens) - 1)

    def steps(self, size: int, epoch: int) -> int:
        """Return the number of batches of an epoch."""
        self._lay_out(size)
        self._cut(epoch)
        return len(self._bounds) - 1

    def batch(self, size: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Return tokens ``(T, B)`` and those that follow them, ``(T * B,)``, time-major; `IndexError` past the epoch.

        T is the length of the step, less at the end of the epoch; B is ``size`` or ``columns``, the smaller one.
        """
        steps = self.steps(size, epoch)
        if not 0 <= step < steps:
            raise IndexError(f"{self.name}: step {step} is not in 0..{steps - 1} for batches of {size}")
        start, end = self._bounds[step : step + 2]
        return self._columns[start:end], self._columns[start + 1 : end + 1].view(-1)

    def _lay_out(self, size: int) -> None:
        if size == self._size:
            return
        columns = min(size, self.columns or size)
        rows = len(self.tokens) // columns
        if rows - 1 < self.bptt:
            raise RequestError(
                f"dataset.bptt={self.bptt} is longer than the data: the {self.name} part of {len(self.tokens)} tokens "
                f"has {max(rows - 1, 0)} to predict in each of {columns} columns; lower dataset.bptt or the batch size,"
                " or raise the part's limit"
            )
        self._columns = self.tokens[: rows * columns].view(columns, rows).t().contiguous()
        self._size, self._epoch = size, None

    def _cut(self, epoch: int) -> None:
        """Find the rows at which the steps of an epoch begin and end."""
        if (self._size, epoch) == self._epoch:
            return
        targets = len(self._columns) - 1
        count = -(-targets // min(self.bptt, self.lengths.shortest))  # enough, were all of them the shortest
        ends = self.lengths.draw(self.bptt, count, position_seed(self.seed, self.name, "bptt", epoch)).cumsum()
        self._bounds = [0, *ends[ends < targets].tolist(), targets]
        self._epoch = self._size, epoch


def on_device(ids: np.ndarray, device: torch.device) -> Tensor:
    """Return token ids ``(n,)`` int64 on the device, where a split cuts its batches without copying."""
    return torch.from_numpy(ids).to(device)
