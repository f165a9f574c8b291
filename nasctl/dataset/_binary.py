"""Binary classification of table rows: the three parts, cross entropy, and the area under the ROC curve."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from nasctl.core import Metrics, Split, Task
from nasctl.dataset._order import Order
from nasctl.dataset._table import HeldOut, Table, TableSplit
from nasctl.errors import RequestError
from nasctl.seeds import position_seed

BINS = 2000  # of the scores, for the area under the curve
REACH = 10.0  # bins are even in asinh(logit) from -REACH to REACH: 0.01 wide about 0, 1 % of the logit far out


class BinaryClassification:
    """A `nasctl.core.Dataset` over a table whose rows are labelled 0 or 1.

    Outputs are logits ``(batch, 1)``, targets ``(batch,)`` int64. ``test_portion`` of the rows is held out: drawn
    with ``test_seed``, or the last ones where ``split`` is ``time``; of the rest, ``val_portion`` of the whole is
    drawn with ``split_seed``, or again the last. Limits keep the first rows of a part.
    """

    def __init__(
        self,
        task: Task,
        read: Callable[[HeldOut], Table],
        device: torch.device,
        seed: int,
        *,
        split: Literal["random", "time"],
        val_portion: float,
        test_portion: float,
        test_seed: int,
        split_seed: int | None,
        limit_train: int | None,
        limit_test: int | None,
    ) -> None:
        if val_portion + test_portion >= 1:
            raise RequestError(
                f"dataset: val_portion ({val_portion}) and test_portion ({test_portion}) leave nothing to train on; "
                "their sum must be below 1"
            )
        self.task, self._read, self.device, self.seed, self.split_by = task, read, device, seed, split
        self.val_portion, self.test_portion, self.test_seed = val_portion, test_portion, test_seed
        self.split_seed = seed if split_seed is None else split_seed
        self.limit_train, self.limit_test = limit_train, limit_test

    @cached_property
    def table(self) -> Table:
        """All rows, read when they are first needed."""
        return self._read(self.test_mask)

    def train(self) -> Split:
        """Return the part that search trains on, shuffled."""
        return self._split("train", self._halves[0])

    def val(self) -> Split:
        """Return the part that search validates on, shuffled."""
        return self._split("val", self._halves[1])

    def full(self) -> Split:
        """Return training and validation rows together, shuffled."""
        return self._split("full", self._kept)

    def held_out(self, share: float) -> tuple[Split, Split]:
        """Return all but a portion ``share`` of the rows that ``full`` has, and that portion."""
        kept, chosen = self._cut(share, "held out", f"trainer.held_out ({share})")
        return self._split("full", kept), self._split("val", chosen)

    def test(self) -> Split:
        """Return the held-out rows, in order."""
        rows = np.flatnonzero(self.test_mask(len(self.table)))[: self.limit_test]
        return self._split("test", rows, shuffle=False)

    def _split(self, name: str, rows: np.ndarray, shuffle: bool = True) -> TableSplit:
        order = Order(torch.from_numpy(rows), torch.device("cpu"), self.seed, name, shuffle=shuffle)
        return TableSplit(self.table, order, self.device)

    def test_mask(self, rows: int) -> np.ndarray:
        """Return which of ``rows`` rows are the test, bool ``(rows,)``; no statistic may look at them."""
        mask = np.zeros(rows, bool)
        mask[self._last(rows, self.test_portion, position_seed(self.test_seed, "held out"))] = True
        return mask

    def _last(self, rows: int, portion: float, seed: int) -> np.ndarray:
        """Return a portion of ``range(rows)``: the end of it, or of a permutation of it."""
        order = np.arange(rows) if self.split_by == "time" else np.random.default_rng(seed).permutation(rows)
        return order[rows - round(portion * rows) :]

    @cached_property
    def _kept(self) -> np.ndarray:
        return np.flatnonzero(~self.test_mask(len(self.table)))[: self.limit_train]

    @cached_property
    def _halves(self) -> tuple[np.ndarray, np.ndarray]:
        share = self.val_portion / (1 - self.test_portion)
        return self._cut(share, "split", f"dataset.val_portion ({self.val_portion})")

    def _cut(self, share: float, purpose: str, setting: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows kept for training, less a share of them, and that share."""
        mask = np.zeros(len(self._kept), bool)
        mask[self._last(len(mask), share, position_seed(self.split_seed, purpose))] = True
        if mask.all() or not mask.any():
            raise RequestError(
                f"{setting} of {len(mask)} rows leaves nothing to train or to validate on; change it or raise "
                "dataset.limit_train"
            )
        return self._kept[~mask], self._kept[mask]

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross entropy (log loss) in nats."""
        return binary_cross_entropy_with_logits(outputs.squeeze(-1), targets.to(outputs.dtype))

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return the summed cross entropy, the number of correct rows, and ``(2, BINS)`` scores of each class."""
        logits = outputs.squeeze(-1)
        loss = binary_cross_entropy_with_logits(logits, targets.to(logits.dtype), reduction="sum")
        scores = torch.nan_to_num(torch.asinh(logits.float())) / (2 * REACH) + 0.5
        bins = (scores * BINS).clamp(0, BINS - 1).long() + BINS * targets
        counts = torch.zeros(2 * BINS, dtype=torch.int32, device=bins.device)
        counts = counts.scatter_add(0, bins, torch.ones_like(bins, dtype=torch.int32))
        return {"loss": loss, "correct": ((logits > 0) == (targets > 0)).sum(), "scores": counts.view(2, BINS)}

    def metrics(self, sums: Mapping[str, Any], examples: int) -> Metrics:
        """Return ``loss`` in nats an example, ``error`` in percent, ``accuracy`` (threshold one half) and ``auc``."""
        accuracy = sums["correct"] / examples
        loss = sums["loss"] / examples
        return {"loss": loss, "error": 100 * (1 - accuracy), "accuracy": accuracy, "auc": area(sums["scores"])}

    def fingerprint(self) -> Mapping[str, str]:
        """Return the sha256 of the data and of the row numbers, int64, of training and validation part."""
        train, val = (hashlib.sha256(half.data).hexdigest() for half in self._halves)
        return {**self.table.facts, "train_indices": train, "val_indices": val}


def area(scores: Any) -> float:
    """Return the area under the ROC curve of scores in bins, ``(2, bins)``: negatives, positives.

    It is the share of pairs that are ordered rightly; pairs in one bin count half. 0.5 if a class is absent.
    """
    negatives, positives = np.asarray(scores, np.float64)
    pairs = negatives.sum() * positives.sum()
    below = negatives.cumsum() - negatives / 2
    return float((positives * below).sum() / pairs) if pairs else 0.5
