"""Rows of a table as one tensor: numbers first, then the ids of categories."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import torch
from torch import Tensor

from nasctl.dataset._order import Order

HeldOut = Callable[[int], np.ndarray]
"""The number of rows to a mask, bool ``(rows,)``, of those that no statistic may look at."""


@dataclass(frozen=True)
class Table:
    """Columns ``(rows,)``, in memory or memory-mapped: numbers (NaN if missing), ids and labels 0 or 1.

    The ids of a column are below its entry in ``vocabularies``. With ``missing_inputs`` each number has a second
    input that is 1 where it is missing; those stand after all numbers. ``facts`` names the data, by their sha256
    at least.
    """

    numbers: Sequence[np.ndarray]
    ids: Sequence[np.ndarray]
    vocabularies: Sequence[int]
    labels: np.ndarray
    missing_inputs: bool
    facts: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self, rows: np.ndarray) -> Tensor:
        """Return float32 ``(n, inputs)``: numbers, 0 if missing, then ids, exact below 2**24."""
        columns = [*self.numbers, *self.ids]
        packed = np.empty((len(columns), len(rows)), np.float32)
        for place, column in zip(packed, columns, strict=True):
            place[:] = column[rows]
        numbers = packed[: len(self.numbers)]
        missing = np.isnan(numbers)
        numbers[missing] = 0
        indicators = [missing.astype(np.float32)] if self.missing_inputs else []
        parts = [numbers, *indicators, packed[len(self.numbers) :]]
        return torch.from_numpy(np.concatenate(parts)).T.contiguous()

    def targets(self, rows: np.ndarray) -> Tensor:
        """Return int64 ``(n,)``."""
        return torch.from_numpy(self.labels[rows].astype(np.int64))


class TableSplit:
    """Some rows of a table, as a `nasctl.core.Split`."""

    def __init__(self, table: Table, order: Order, device: torch.device) -> None:
        self.table, self.order, self.device = table, order, device

    def __len__(self) -> int:
        return len(self.order)

    def batch(self, size: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Return inputs ``(n, inputs)`` and labels; the last batch may be smaller; `IndexError` past the epoch."""
        rows = self.order.batch(size, epoch, step).numpy()
        parts = self.table.inputs(rows), self.table.targets(rows)
        inputs, targets = (part.to(self.device, non_blocking=True) for part in parts)
        return inputs, targets


class Vocabularies(Sequence[int]):
    """The numbers of ids of ``count`` categorical columns, read when one is asked for."""

    def __init__(self, count: int, read: Callable[[], Sequence[int]]) -> None:
        self._count, self._read = count, read

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...

    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        return self._read()[index]
