"""Image classification: the two halves of the training set, cross entropy, and the error in percent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nasctl.core import Metrics, Split, Task, Validation
from nasctl.dataset._order import Independent, Order
from nasctl.errors import RequestError
from nasctl.seeds import position_seed

ORDERS: Mapping[str, type[Order]] = {"epoch": Order, "independent": Independent}
"""How batches of architecture steps are drawn: through all images in an epoch, or each by itself."""


class Source(Protocol):
    """Where the examples are; reads nothing before it is asked, and the held-out part in `test` only."""

    def __len__(self) -> int:
        """Return the number of training examples."""

    def split(self, name: str, indices: Tensor, order: type[Order] = Order) -> Split:
        """Return these training examples as the split ``train``, ``val``, ``architecture`` or ``full``."""

    def test(self) -> Split:
        """Return the held-out examples, in order."""

    def digest(self) -> str:
        """Return the sha256 of the training examples as they lie on disk."""


class ImageClassification:
    """A `nasctl.core.Dataset` over a source: splits, loss and measure.

    Outputs are logits ``(batch, classes)``, targets ``(batch,)`` int64. A search trains on a
    ``train_portion`` drawn with ``split_seed``, or on the first examples where ``search_split`` is ``order``.
    Architecture steps see validation images augmented where ``varied``, and in batches drawn apart where
    ``architecture_batches`` is ``independent``.
    """

    def __init__(
        self,
        task: Task,
        source: Source,
        *,
        train_portion: float,
        search_split: Literal["random", "order"],
        split_seed: int,
        varied: bool,
        architecture_batches: Literal["epoch", "independent"],
    ) -> None:
        self.task, self._source = task, source
        self.train_portion, self.search_split, self.split_seed = train_portion, search_split, split_seed
        self.varied, self.architecture_order = varied, ORDERS[architecture_batches]

    def train(self) -> Split:
        """Return the part that search trains on, shuffled and augmented as ``augment.search`` says."""
        return self._source.split("train", self._halves[0])

    def val(self) -> Split:
        """Return the part that search validates on, shuffled, not augmented but in architecture steps."""
        half = self._halves[1]
        scored = self._source.split("val", half)
        if not self.varied and self.architecture_order is Order:
            return scored
        return Validation(scored, self._source.split("architecture", half, self.architecture_order))

    def full(self) -> Split:
        """Return all training examples, shuffled and augmented as ``augment.final`` says."""
        return self._source.split("full", torch.arange(len(self._source)))

    def held_out(self, share: float) -> tuple[Split, Split]:
        """Return all but a random ``share`` of the examples that ``full`` has, and that share, not augmented."""
        kept, chosen = self._cut(1 - share, "held out")
        if not len(kept) or not len(chosen):
            raise RequestError(
                f"trainer.held_out ({share}) of {len(self._source)} examples leaves nothing to train on or to choose"
                " by; bring it nearer to 0.1 or raise dataset.limit_train"
            )
        return self._source.split("full", kept), self._source.split("val", chosen)

    def test(self) -> Split:
        """Return the held-out test split, in order, not augmented."""
        return self._source.test()

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross entropy in nats."""
        return cross_entropy(outputs, targets)

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return the summed cross entropy and the number of correct examples."""
        loss = cross_entropy(outputs, targets, reduction="sum")
        return {"loss": loss, "correct": (outputs.argmax(1) == targets).sum()}

    def metrics(self, sums: Mapping[str, float], examples: int) -> Metrics:
        """Return ``loss`` in nats an example, ``error`` in percent and ``accuracy`` in [0, 1]."""
        return {
            "loss": sums["loss"] / examples,
            "error": 100 * (examples - sums["correct"]) / examples,
            "accuracy": sums["correct"] / examples,
        }

    def fingerprint(self) -> Mapping[str, str]:
        """Return the sha256 of the training examples on disk and of both halves' int64 indices."""
        train, val = (hashlib.sha256(half.numpy().data).hexdigest() for half in self._halves)
        return {"data": self._source.digest(), "train_indices": train, "val_indices": val}

    @cached_property
    def _halves(self) -> tuple[Tensor, Tensor]:
        train, val = self._cut(self.train_portion, "split", self.search_split == "random")
        if not len(train) or not len(val):
            raise RequestError(
                f"dataset.train_portion ({self.train_portion}) of {len(self._source)} examples leaves nothing to train"
                " or to validate on; bring it nearer to 0.5 or raise dataset.limit_train"
            )
        return train, val

    def _cut(self, portion: float, name: str, shuffle: bool = True) -> tuple[Tensor, Tensor]:
        """Return the examples' indices in two parts, the first a ``portion``; ``name`` seeds the order, if any."""
        count = len(self._source)
        generator = torch.Generator().manual_seed(position_seed(self.split_seed, name))
        order = torch.randperm(count, generator=generator) if shuffle else torch.arange(count)
        cut = round(portion * count)
        return order[:cut], order[cut:]
