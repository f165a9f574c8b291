"""The validation loss of a relaxed candidate, whose gradient the strategy follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from nasctl.core import Candidate, Dataset
from nasctl.estimator._path_runner import PathRunner
from nasctl.estimator._weight_optimizer import WeightOptimizer
from nasctl.estimator.unroll._bilevel import Bilevel, Rows, Unroll, Weights

Batch = tuple[Any, Tensor]


class MixtureLoss:
    """Calls ``unroll`` with the losses of a candidate on a training and a validation batch."""

    def __init__(self, dataset: Dataset, runner: PathRunner, optimizer: WeightOptimizer, unroll: Unroll) -> None:
        unroll.check(runner.net)
        self.dataset, self.runner, self.optimizer, self.unroll = dataset, runner, optimizer, unroll

    def __call__(
        self, candidate: Candidate, rows: Rows, rate: float | Tensor, train: Batch, val: Batch
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return a loss whose gradient is that of ``unroll``, and the summed measures on the validation batch."""
        measured: list[Mapping[str, Tensor]] = []

        def outputs(x: Any, weights: Weights, rows: Rows) -> Tensor:
            return self.runner(self.unroll.before_pass(x), replace(candidate, weights=rows), weights)

        def train_loss(weights: Weights, rows: Rows) -> Tensor:
            return self.dataset.loss(outputs(train[0], weights, rows), train[1])

        def val_loss(weights: Weights, rows: Rows) -> Tensor:
            logits = outputs(val[0], weights, rows)
            measured.append(self.dataset.measure(logits.detach(), val[1]))
            return self.dataset.loss(logits, val[1])

        problem = Bilevel(train_loss, val_loss, self.runner.weights, self.optimizer.virtual_step(rate))
        return self.unroll.loss(problem, rows, self.runner.net), measured[-1]

    def examples(self, train: Batch, val: Batch) -> int:
        """Return how many examples a forward and backward pass is counted for."""
        passes = self.unroll.passes
        return passes[0] * len(train[1]) + passes[1] * len(val[1])
