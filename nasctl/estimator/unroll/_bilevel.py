"""What the gradient of a relaxed architecture is taken of: two losses, and a virtual step of the weights.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 2.3, equations 6 to 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

Weights = Mapping[str, Tensor]
Mixtures = Sequence[Tensor]
"""One tensor of weights over options for each relaxed choice."""

Loss = Callable[[Weights, Mixtures], Tensor]


@dataclass(frozen=True)
class VirtualStep:
    """One step of SGD, w' = w - lr (momentum buffer + gradient + weight_decay w), that leaves w as it is.

    With ``clip`` the gradient is first scaled to at most that norm, as the weights' own step does.
    """

    lr: float | Tensor
    momentum: float
    weight_decay: float
    buffers: Weights
    clip: float | None = None

    def __call__(self, weights: Weights, gradients: Sequence[Tensor]) -> dict[str, Tensor]:
        scale = self.scale(gradients)
        return {
            name: w - self.lr * (self._velocity(name) + scale * g + self.weight_decay * w)
            for (name, w), g in zip(weights.items(), gradients, strict=True)
        }

    def scale(self, gradients: Sequence[Tensor]) -> Tensor | float:
        """Return the factor that brings ``gradients`` within the norm ``clip``."""
        if self.clip is None:
            return 1.0
        norm = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
        return (self.clip / (norm + 1e-6)).clamp(max=1.0)

    def carried(self, gradients: Sequence[Tensor]) -> Tensor | float:
        """Return the factor that the Hessian's product has because the step clips ``gradients``."""
        return self.scale(gradients)

    def _velocity(self, name: str) -> Tensor | float:
        return self.momentum * self.buffers[name] if name in self.buffers else 0.0


@dataclass(frozen=True)
class Bilevel:
    """Training and validation loss as functions of (weights, mixtures), today's weights, and the step they take."""

    train: Loss
    val: Loss
    weights: Weights
    step: VirtualStep


class Unroll(Protocol):
    """The gradient of the validation loss with respect to the mixtures, where the weights take a step in between."""

    passes: tuple[int, int]  # forward and backward passes over the (training, validation) batch
    twice: bool  # differentiates a gradient, which compiled code and CUDA graphs cannot

    def check(self, net: nn.Module) -> None:
        """Raise `RequestError` if the gradient of ``net`` cannot be taken this way."""

    def loss(self, problem: Bilevel, mixtures: Mixtures, net: nn.Module) -> Tensor:
        """Return a loss of ``net`` whose gradient with respect to ``mixtures`` is the wanted one."""

    def before_pass(self, x: Any) -> Any:
        """Return the inputs of a pass over the batch ``x``."""


class Plain:
    """Takes any network, and its inputs as they are: all passes over one step of a text drop the same."""

    def check(self, net: nn.Module) -> None:
        pass

    def before_pass(self, x: Any) -> Any:
        return x


def surrogate(loss: Tensor, mixtures: Mixtures, gradients: Mixtures) -> Tensor:
    """Return the value of ``loss`` with ``gradients`` as its gradient with respect to ``mixtures``."""
    linear = torch.stack([(mixture * g).sum() for mixture, g in zip(mixtures, gradients, strict=True)]).sum()
    return loss.detach() + linear - linear.detach()


def gradient(loss: Tensor, inputs: Sequence[Tensor], create_graph: bool = False) -> list[Tensor]:
    """Return the gradient of ``loss``; zero for an input that it does not depend on."""
    found = torch.autograd.grad(loss, inputs, create_graph=create_graph, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True)]
