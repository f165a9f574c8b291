"""A data set as a search sees it: everything but the test split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from nasctl.core import Dataset, Metrics, Split, Task


class SearchData:
    """Has the members of `Dataset`, and not the test split: only retrain may ask for that."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    @property
    def task(self) -> Task:
        return self._dataset.task

    def train(self) -> Split:
        return self._dataset.train()

    def val(self) -> Split:
        return self._dataset.val()

    def full(self) -> Split:
        return self._dataset.full()

    def held_out(self, share: float) -> tuple[Split, Split]:
        return self._dataset.held_out(share)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self._dataset.loss(outputs, targets)

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return self._dataset.measure(outputs, targets)

    def metrics(self, sums: Mapping[str, Any], examples: int) -> Metrics:
        return self._dataset.metrics(sums, examples)

    def fingerprint(self) -> Mapping[str, str]:
        return self._dataset.fingerprint()
