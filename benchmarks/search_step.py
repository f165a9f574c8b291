"""A search step of DARTS, architecture and weights, against a module per operation and edge.

Ours is the step of the estimator. The plain one is that of the original code: a full backward pass for the first
order; for the second a copy of the network with moved weights, and the finite difference around the present ones.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.pairs import alternate
from benchmarks.plain import PlainDarts
from benchmarks.problem import CLASSES, DEVICE, LAYOUTS, Descent, Images, Rows, composed, space
from nasctl.config.build import make
from nasctl.core import Candidate, EstimatorContext

CHANNELS, CELLS = 16, 8
CASES = [  # unroll, batch, our layout, the plain one's, alternated pairs
    ("first_order", 16, "channels_last", "NCHW", 5),
    ("first_order", 16, "NCHW", "NCHW", 5),
    ("first_order", 16, "channels_last", "channels_last", 5),
    ("finite_difference", 16, "channels_last", "NCHW", 5),
    ("finite_difference", 16, "channels_last", "channels_last", 5),
    ("first_order", 64, "channels_last", "NCHW", 2),
]
GRAPHS = [  # replayed as CUDA graphs
    ("first_order", 16, "channels_last", "NCHW", 5),
    ("first_order", 64, "channels_last", "NCHW", 5),
    ("finite_difference", 16, "channels_last", "NCHW", 3),
]


def rows() -> Rows:
    """Yield the seconds of a step with 16 channels and 8 cells."""
    for unroll, batch, layout, plain_layout, pairs in CASES:
        name = f"search step, {unroll}, batch {batch}, {layout} / plain {plain_layout}"
        yield name, *alternate(ours(unroll, batch, layout), PlainStep(batch, plain_layout, unroll), pairs)
    for unroll, batch, layout, plain_layout, pairs in GRAPHS if DEVICE.type == "cuda" else ():
        name = f"search step, {unroll}, batch {batch}, {layout}, CUDA graph / plain {plain_layout}"
        graph = ours(unroll, batch, layout, cuda_graph=True)
        yield name, *alternate(graph, PlainStep(batch, plain_layout, unroll), pairs)


def ours(unroll: str, batch: int, layout: str, **options: bool) -> Callable[[], None]:
    """Return a function that takes an architecture step and a weight step as a search does."""
    speed = {"channels_last": layout == "channels_last"} | options
    words = [f"estimator.speed.{name}={str(value).lower()}" for name, value in speed.items()]
    node = composed(f"estimator.batch_size={batch}", "estimator.epochs=null", f"estimator/unroll={unroll}", *words)
    estimator = make(node, EstimatorContext(space(), Images(batch), DEVICE, 0, lambda shown: None))
    logits = torch.zeros(28, 8, device=DEVICE, requires_grad=True)

    def step() -> None:
        loss = estimator.evaluate(Candidate((0,) * 24, list(logits.softmax(1).unbind())), 0).loss
        torch.autograd.grad(loss, logits)
        estimator.fit(lambda: Candidate((0,) * 24, list(logits.detach().softmax(1).unbind())))

    return step


class PlainStep:
    """The step of the original code."""

    def __init__(self, batch: int, layout: str, unroll: str) -> None:
        self.descent = Descent(PlainDarts(3, CLASSES, CHANNELS, CELLS), layout)
        self.network, self.second_order = self.descent.network, unroll != "first_order"
        data = Images(batch)
        self.train, self.val = (
            (split.x.contiguous(memory_format=LAYOUTS[layout]), split.y) for split in (data.train(), data.val())
        )
        self.logits = torch.zeros(28, 8, device=DEVICE, requires_grad=True)

    def __call__(self) -> None:
        self._second_order() if self.second_order else self._loss(self.network, self.val).backward()
        self.descent.step(lambda: self._loss(self.network, self.train))

    def _loss(self, network: torch.nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        x, y = batch
        return cross_entropy(network(x, self.logits.softmax(1)), y)

    def _second_order(self) -> Tensor:
        weights = list(self.network.parameters())
        gradients = torch.autograd.grad(self._loss(self.network, self.train), weights)
        moved = copy.deepcopy(self.network)
        with torch.no_grad():
            for weight, gradient in zip(moved.parameters(), gradients, strict=True):
                weight -= 0.025 * (gradient + 3e-4 * weight)
        loss = self._loss(moved, self.val)
        direct, *direction = torch.autograd.grad(loss, [self.logits, *moved.parameters()])
        radius = 0.01 / torch.cat([d.flatten() for d in direction]).norm()
        plus, minus = self._at(direction, radius), self._at(direction, -radius)
        return direct - 0.025 * (plus - minus) / (2 * radius)

    def _at(self, direction: list[Tensor], radius: Tensor) -> Tensor:
        """Return the gradient to the logits with the weights moved along ``direction``."""
        weights = list(self.network.parameters())
        with torch.no_grad():
            torch._foreach_add_(weights, [radius * d for d in direction])
        (gradient,) = torch.autograd.grad(self._loss(self.network, self.train), self.logits)
        with torch.no_grad():
            torch._foreach_sub_(weights, [radius * d for d in direction])
        return gradient
