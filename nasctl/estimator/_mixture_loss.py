"""The validation loss of a relaxed candidate, whose gradient the strategy follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from nasctl.core import Candidate, Dataset
from nasctl.estimator._path_runner import PathRunner
from nasctl.estimator._weight_optimizer import WeightOptimizer
from nasctl.estimator.unroll._bilevel import Bilevel, Mixtures, Unroll, Weights

Batch = tuple[Any, Tensor]


class MixtureLoss:
    """Calls ``unroll`` with the losses of a candidate on a training and a validation batch."""

    def __init__(self, dataset: Dataset, runner: PathRunner, optimizer: WeightOptimizer, unroll: Unroll) -> None:
        unroll.check(runner.net)
        self.dataset, self.runner, self.optimizer, self.unroll = dataset, runner, optimizer, unroll

    def __call__(
        self, candidate: Candidate, mixtures: Mixtures, rate: float | Tensor, train: Batch, val: Batch
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return a loss whose gradient is that of ``unroll``, and the summed measures on the validation batch."""
        measured: list[Mapping[str, Tensor]] = []

        def outputs(x: Any, weights: Weights, mixtures: Mixtures) -> Tensor:
            return self.runner(self.unroll.before_pass(x), replace(candidate, weights=mixtures), weights)

        def train_loss(weights: Weights, mixtures: Mixtures) -> Tensor:
            return self.dataset.loss(outputs(train[0], weights, mixtures), train[1])

        def val_loss(weights: Weights, mixtures: Mixtures) -> Tensor:
            logits = outputs(val[0], weights, mixtures)
            measured.append(self.dataset.measure(logits.detach(), val[1]))
            return self.dataset.loss(logits, val[1])

        problem = Bilevel(train_loss, val_loss, self.runner.weights, self.optimizer.virtual_step(rate))
        return self.unroll.loss(problem, mixtures, self.runner.net), measured[-1]

    def of_mixture(
        self, mixtures: Mixtures, rate: Tensor, train: Batch, val: Batch
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the same for the mixture of all options by ``mixtures``."""
        return self(Candidate((), mixtures), mixtures, rate, train, val)

    def examples(self, train: Batch, val: Batch) -> int:
        """Return how many examples a forward and backward pass is counted for."""
        passes = self.unroll.passes
        return passes[0] * len(train[1]) + passes[1] * len(val[1])
