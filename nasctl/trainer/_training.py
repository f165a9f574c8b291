"""The state of one training: all that a resumed training needs to end as an uninterrupted one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from nasctl.core import Dataset, Metrics, State, Trained
from nasctl.errors import StateError, TrialError
from nasctl.trainer._precision import Precision

Weights = dict[str, Tensor]


@dataclass
class Best:
    """The weights with the lowest held-out error so far, of equal ones, or without errors, those of the lowest loss."""

    score: tuple[float, float] = (math.inf, math.inf)
    epoch: int = -1
    weights: Weights | None = None
    metrics: Metrics = field(default_factory=dict)
    averaged: bool = False

    def offer(self, metrics: Metrics, epoch: int, model: nn.Module, averaged: bool = False) -> None:
        """Keep the weights of ``model``, which are an average or not, if they are better."""
        score = metrics.get("error", 0.0), metrics["loss"]
        if score < self.score:
            self.score, self.epoch, self.weights = score, epoch, copied(model)
            self.metrics, self.averaged = dict(metrics), averaged


def copied(model: nn.Module) -> Weights:
    """Return a copy of the weights and buffers."""
    return {name: value.clone() for name, value in model.state_dict().items()}


class WeightAverage(Protocol):
    """An average of the weights over steps."""

    weights: Weights

    def update(self, model: nn.Module) -> None:
        """Update the average with the weights after a step."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


class Training:
    """Network, optimizer, position, and the measures of the epoch under way; ``average`` where weights are averaged.

    ``position`` counts steps. Measures stay on the device until the epoch ends.
    """

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, precision: Precision, average: WeightAverage | None
    ) -> None:
        self.model, self.optimizer, self.precision, self.average = model, optimizer, precision, average
        self.best = Best()
        self.held_out: Metrics = {}  # of the last weights
        self.position = 0
        self.measured: list[dict[str, Tensor]] = []
        self.examples: list[int] = []
        self.loss: Tensor | None = None  # of the last batch, still on the device
        self.error: float | None = None  # of the last whole epoch, where the data set measures one

    def add(self, measured: Mapping[str, Tensor], examples: int) -> None:
        """Record the sums measured on the ``examples`` of a step."""
        if self.average is not None:
            self.average.update(self.model)
        if self.measured and self.measured[0].keys() != measured.keys():
            raise StateError(f"it has measured {', '.join(self.measured[0])}, and not {', '.join(measured)}")
        self.measured.append(dict(measured))
        self.examples.append(examples)
        self.loss = measured["loss"] / examples
        self.position += 1

    def close(self, dataset: Dataset) -> Metrics:
        """Return the metrics of the epoch that ends here; `TrialError` names the first step that went wrong."""
        sums = {name: torch.stack([m[name].double() for m in self.measured]) for name in self.measured[0]}
        self._check(sums["loss"].tolist())
        totals = {name: values.sum(0).tolist() for name, values in sums.items()}
        metrics = dataset.metrics(totals, sum(self.examples))
        self.measured, self.examples, self.error = [], [], metrics.get("error")
        return metrics

    def _check(self, losses: list[float]) -> None:
        for step, loss in enumerate(losses, start=self.position - len(losses)):
            if not math.isfinite(loss):
                raise TrialError(f"training loss is {loss} at step {step}; lower trainer.lr or trainer.clip")

    def offer(self, metrics: Metrics, epoch: int) -> None:
        """Keep the weights that are in the network, whose held-out metrics these are, if they are the best."""
        self.held_out = metrics
        self.best.offer(metrics, epoch, self.model, self.average is not None)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the averaged weights into the network, if there are any, and the trained ones back."""
        if self.average is None:
            yield
            return
        trained = copied(self.model)
        self.model.load_state_dict(self.average.weights)
        try:
            yield
        finally:
            self.model.load_state_dict(trained)

    def finish(self, keep: str, epoch: int) -> Trained:
        """Leave the weights to keep, ``last`` or ``best``, in the network; those of ``epoch`` are the last."""
        if self.average is not None:
            self.model.load_state_dict(self.average.weights)
        weights = {"last": copied(self.model)}
        if self.best.weights is not None:
            weights["best"] = self.best.weights
        name = keep if keep in weights else "last"
        self.model.load_state_dict(weights.pop(name))
        if name == "best":
            return Trained(name, self.best.epoch, self.best.averaged, weights, self.best.metrics)
        return Trained(name, epoch, self.average is not None, weights, self.held_out)

    def state_dict(self) -> State:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.precision.state_dict(),
            "average": self.average and self.average.state_dict(),
            "best": vars(self.best),
            "held_out": self.held_out,
            "position": self.position,
            "measured": self.measured,
            "examples": self.examples,
        }

    def load_state_dict(self, state: State) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.precision.load_state_dict(state["precision"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.best, self.held_out = Best(**state["best"]), state.get("held_out", {})
        self.position, self.examples = state["position"], list(state["examples"])
        device = next(self.model.parameters()).device  # a checkpoint is read to the CPU
        self.measured = [{name: value.to(device) for name, value in m.items()} for m in state["measured"]]


def widened(outputs: Tensor) -> Tensor:
    """Return half precision as fp32, others as they are."""
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32))
