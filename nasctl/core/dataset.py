"""What a data set gives: splits, loss and measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nasctl.core.data import Metrics, Task

if TYPE_CHECKING:
    from torch import Tensor


class Split(Protocol):
    """A part of a data set whose batches are pure functions of the position.

    A part of a text (task ``language``) has ``steps(size, epoch)`` besides, the number of its batches: ``size``
    columns are read in steps of differing lengths, inputs ``(T, B)`` and targets ``(T * B,)``, and its examples are
    the tokens to be predicted.
    """

    def __len__(self) -> int:
        """Return the number of examples."""

    def batch(self, size: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Return inputs ``(size, *input_shape)`` and targets ``(size,)``; the last batch may be smaller."""


@dataclass(frozen=True)
class Validation:
    """A validation split of which architecture steps see other batches than those that candidates are scored on."""

    scored: Split
    architecture: Split

    def __len__(self) -> int:
        return len(self.scored)

    def batch(self, size: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        return self.scored.batch(size, epoch, step)


class Objective(Protocol):
    """The loss and the measures of a task."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean training loss."""

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return sums over the batch, numbers or histograms, without waiting for the device."""

    def metrics(self, sums: Mapping[str, Any], examples: int) -> Metrics:
        """Return the figures of summed measures, given as plain numbers and lists."""


class Dataset(Objective, Protocol):
    """The data of a search, with loss and measures. Nothing is read from disk before the first split is asked for."""

    @property
    def task(self) -> Task:
        """Return what a space must know of the data."""

    def train(self) -> Split:
        """Return the part that search trains on, shuffled and augmented."""

    def val(self) -> Split:
        """Return the part that search validates on, shuffled, not augmented; a `Validation` may say more."""

    def full(self) -> Split:
        """Return train and validation together, shuffled and augmented: what retraining uses.

        Text is in order, and the published validation part of a text is never trained on.
        """

    def held_out(self, share: float) -> tuple[Split, Split]:
        """Return what ``full`` returns less a random ``share`` of it, and that share, not augmented.

        Data whose published validation part nobody trains on hold that part out, whatever the share.
        """

    def fingerprint(self) -> Mapping[str, str]:
        """Return hashes of the data and of the split's indices."""


class TestedDataset(Dataset, Protocol):
    """A data set with its test split, out of a search's reach."""

    def test(self) -> Split:
        """Return the held-out test split, in order. Only `nasctl.retrain` may call this."""
