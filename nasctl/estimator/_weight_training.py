"""The training of shared weights: a step descends the losses of some paths on one batch."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from nasctl.core import Candidate, Dataset
from nasctl.estimator._path_runner import PathRunner
from nasctl.estimator._replay import Replay
from nasctl.estimator._streams import Stream
from nasctl.estimator._weight_optimizer import WeightOptimizer
from nasctl.estimator._work import PASS
from nasctl.estimator.sampler._paths import PathSampler, WeightStep
from nasctl.estimator.unroll._bilevel import Weights


class WeightTraining:
    """Adds the gradients of the paths that ``sampler`` chooses, and moves the weights once."""

    def __init__(
        self, dataset: Dataset, runner: PathRunner, stream: Stream, optimizer: WeightOptimizer, sampler: PathSampler
    ) -> None:
        self.dataset, self.runner, self.stream = dataset, runner, stream
        self.optimizer, self.sampler = optimizer, sampler

    def step(self, step: WeightStep, replay: Replay | None) -> int:
        """Take a step and return its multiply-accumulates; a mixture's gradients come from ``replay`` if given."""
        x, y = self.stream.batch(step.position)
        self.optimizer.begin(x)
        work = 0
        for candidate, factor in self.sampler.paths(step):
            self._add_gradients(self.runner.on_device(candidate), x, y, factor, replay)
            work += PASS * self.runner.macs(candidate) * len(y)
        self.stream.keep(x)
        self.optimizer.step()
        return work

    def _add_gradients(self, candidate: Candidate, x: Any, y: Tensor, factor: float, replay: Replay | None) -> None:
        """Add a path's gradients, times ``factor``, to those that the weights have."""
        if replay is None or not self.replays(candidate):
            (factor * (self.loss(candidate, x, y) + self.stream.penalty(x))).backward()
            return
        gradients = replay.weight_gradients(candidate.weights or (), x, y)  # a mixture is the only path of its step
        for weight, gradient in zip(self.runner.weights.values(), gradients, strict=True):
            weight.grad = gradient

    def replays(self, candidate: Candidate) -> bool:
        """Return whether the steps of ``candidate`` may be replayed: a mixture's, once the optimizer has its state."""
        return candidate.weights is not None and candidate.active is None and self.optimizer.has_state

    def loss(self, candidate: Candidate, x: Any, y: Tensor, weights: Weights | None = None) -> Tensor:
        """Return the training loss of a candidate on a batch, with ``weights`` in place of the network's own."""
        return self.dataset.loss(self.runner(x, candidate, weights), y)
