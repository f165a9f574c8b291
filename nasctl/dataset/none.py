"""No data: for spaces and estimators whose costs and qualities are declared rather than measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from nasctl.core import Metrics, Split, Task
from nasctl.errors import RequestError


class NoData:
    """Has no splits; whoever asks for one is told to choose a data set."""

    def __init__(self, root: Path, device: torch.device, seed: int) -> None:
        self.task = Task("none", (), 0)

    def train(self) -> Split:
        raise self._refusal()

    def val(self) -> Split:
        raise self._refusal()

    def full(self) -> Split:
        raise self._refusal()

    def held_out(self, share: float) -> tuple[Split, Split]:
        raise self._refusal()

    def test(self) -> Split:
        raise self._refusal()

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        raise self._refusal()

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        raise self._refusal()

    def metrics(self, sums: Mapping[str, float], examples: int) -> Metrics:
        raise self._refusal()

    def fingerprint(self) -> Mapping[str, str]:
        return {}

    @staticmethod
    def _refusal() -> RequestError:
        return RequestError("dataset=none holds nothing to train or test on; choose a data set")
