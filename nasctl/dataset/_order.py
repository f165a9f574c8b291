"""The order in which a split gives its examples: a pure function of the seed, the split and the epoch."""

from __future__ import annotations

import torch
from torch import Tensor

from nasctl.seeds import position_seed


class Order:
    """The examples ``indices`` ``(n,)`` int64, in an order drawn anew each epoch where ``shuffle`` is set.

    The permutation comes from a generator on the CPU, so it is the same for every device; it is kept for
    the epoch that was asked for last.
    """

    def __init__(self, indices: Tensor, device: torch.device, seed: int, name: str, *, shuffle: bool) -> None:
        self.seed, self.name, self.shuffle = seed, name, shuffle
        self.indices, self.device = indices, device
        self._ordered = indices.to(device)
        self._epoch: int | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, size: int, epoch: int, step: int) -> Tensor:
        """Return the examples of a batch, at most ``(size,)``, on the device; `IndexError` past the epoch."""
        if not 0 <= step * size < len(self):
            steps = -(-len(self) // size)
            raise IndexError(f"{self.name}: step {step} is not in 0..{steps - 1} for batches of {size}")
        if self.shuffle and epoch != self._epoch:
            self._shuffle(epoch)
        return self._ordered[step * size : (step + 1) * size]

    def at(self, *position: int) -> int:
        """Return the seed of what is drawn at a position of this split, such as (epoch, step)."""
        return position_seed(self.seed, self.name, "augment", *position)

    def _shuffle(self, epoch: int) -> None:
        generator = torch.Generator().manual_seed(position_seed(self.seed, self.name, "order", epoch))
        drawn = self.indices[torch.randperm(len(self), generator=generator)]
        self._ordered, self._epoch = drawn.to(self.device, non_blocking=True), epoch


class Independent(Order):
    """Batches that are each the beginning of a permutation of their own, as a loader restarted every step gives them.

    An example may come back in the next batch, and all batches have the full size.
    """

    def batch(self, size: int, epoch: int, step: int) -> Tensor:
        """Return ``(size,)`` different examples, or all if there are fewer; a pure function of the position."""
        generator = torch.Generator().manual_seed(position_seed(self.seed, self.name, "batch", epoch, step))
        chosen = self.indices[torch.randperm(len(self), generator=generator)[:size]]
        return chosen.to(self.device, non_blocking=True)
