"""The steps of a relaxed search replayed as CUDA graphs: one of the mixtures' gradient, one of the weights'."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nasctl.acceleration.cuda_graph import Graph, graphs_fit
from nasctl.core import Candidate, RelaxedChoice
from nasctl.estimator.unroll._bilevel import Mixtures, Weights, surrogate

log = logging.getLogger("nasctl")

SETTING = "estimator.speed.cuda_graph"

Unrolled = Callable[[Mixtures, Tensor, tuple[Any, Tensor], tuple[Any, Tensor]], tuple[Tensor, Mapping[str, Tensor]]]
"""Mixtures, learning rate, training and validation batch to the loss with their gradient, and summed measures."""

WeightLoss = Callable[[Candidate, Any, Tensor, Weights], Tensor]
"""A candidate's training loss on a batch, with given weights."""


class Replay:
    """Captures what `Unrolled` and `WeightLoss` compute for a mixture, once for each shape of batches.

    ``net`` gives the buffers that a step may change, ``weights`` are its parameters by name. ``twice`` says that the
    mixtures' gradient is one of a gradient, which cannot be captured.
    """

    def __init__(
        self,
        net: nn.Module,
        weights: Weights,
        choices: Sequence[RelaxedChoice],
        unrolled: Unrolled,
        loss: WeightLoss,
        twice: bool,
    ) -> None:
        self.net, self.weights, self.twice = net, weights, twice
        self.sizes = [len(choice.options) for choice in choices]
        self.unrolled, self.loss = unrolled, loss
        self.forget()

    def forget(self) -> None:
        """Drop captured graphs, since what they hold has moved, such as the optimizer's state."""
        self.of_mixtures = Graph(self._of_mixtures, SETTING, lambda: list(self.net.buffers()))
        self.of_weights = Graph(self._of_weights, SETTING, lambda: list(self.net.buffers()))

    def search(
        self, mixtures: Mixtures, rate: float, train: tuple[Any, Tensor], val: tuple[Any, Tensor]
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return what `Unrolled` does."""
        if self.twice:
            return self.unrolled(mixtures, torch.tensor(rate), train, val)
        value, gradient, sums = self.of_mixtures(torch.cat(list(mixtures)), mixtures[0].new_tensor(rate), *train, *val)
        return surrogate(value, mixtures, gradient.split(self.sizes)), sums

    def weight_gradients(self, mixtures: Mixtures, x: Tensor, y: Tensor) -> Sequence[Tensor | None]:
        """Return the gradient of each weight, to be used before the next call."""
        found: Sequence[Tensor | None] = self.of_weights(torch.cat(list(mixtures)), x, y)
        return found

    def _of_mixtures(self, flat: Tensor, rate: Tensor, *batches: Tensor) -> tuple[Tensor, Tensor, Mapping[str, Tensor]]:
        """Return the loss, the gradient of the mixtures, one vector like ``flat``, and the summed measures."""
        leaf = flat.detach().requires_grad_()
        x, y, val_x, val_y = batches
        loss, sums = self.unrolled(leaf.split(self.sizes), rate, (x, y), (val_x, val_y))
        return loss.detach(), torch.autograd.grad(loss, leaf)[0], sums

    def _of_weights(self, flat: Tensor, x: Tensor, y: Tensor) -> Sequence[Tensor | None]:
        """Differentiate by aliases of the weights: an older graph of their own would tie the capture to its stream."""
        leaves = {name: weight.detach().requires_grad_() for name, weight in self.weights.items()}
        loss = self.loss(Candidate((), flat.split(self.sizes)), x, y, leaves)
        return torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)


def replays(device: torch.device, *, cuda_graph: bool, text: bool, twice: bool) -> bool:
    """Return whether steps are to be replayed; a log line says what of the wish cannot be met."""
    if not cuda_graph:
        return False
    if text:
        log.warning("%s=true replays steps on images, this is text; going on without it", SETTING)
        return False
    if twice and device.type == "cuda":
        log.warning("%s=true: with this estimator/unroll it replays the steps of the weights alone", SETTING)
    return graphs_fit(device, SETTING)
