"""The gradient of the validation loss after one virtual step of the weights, three ways.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 2.3, equations 6 to 8. Every function takes the
training and the validation loss as functions of (weights, rows), and returns a loss whose gradient with
respect to ``rows`` is the wanted one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
Rows = Sequence[Tensor]
Loss = Callable[[Weights, Rows], Tensor]


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


def first_order(train: Loss, val: Loss, weights: Weights, rows: Rows, step: VirtualStep, radius: float) -> Tensor:
    """Return the validation loss at today's weights (xi = 0); only the rows get a gradient."""
    return val({name: w.detach() for name, w in weights.items()}, rows)


def exact(train: Loss, val: Loss, weights: Weights, rows: Rows, step: VirtualStep, radius: float) -> Tensor:
    """Return the validation loss after the virtual step, differentiable through that step (equation 6)."""
    return val(step(weights, gradient(train(weights, rows), list(weights.values()), create_graph=True)), rows)


def finite_difference(train: Loss, val: Loss, weights: Weights, rows: Rows, step: VirtualStep, radius: float) -> Tensor:
    """Return a surrogate whose gradient is equation 7 with the Hessian product of equation 8.

    ``radius`` over the norm of the validation gradient is epsilon; the paper takes 0.01. Where the step clips, the
    factor by which it does is taken as a constant, and the validation gradient is clipped too, as the paper's code
    for recurrent cells does (https://github.com/quark0/darts, rnn/architect.py).
    """
    fixed = [row.detach() for row in rows]
    leaves = [row.clone().requires_grad_() for row in fixed]
    behind = gradient(train(weights, fixed), list(weights.values()))
    ahead, scale = step(weights, behind), step.carried(behind)
    moved = {name: w.detach().requires_grad_() for name, w in ahead.items()}
    loss = val(moved, leaves)
    *direction, direct = _split(gradient(loss, [*moved.values(), *leaves]), len(moved))
    scale = scale * step.scale(direction)  # the product is linear in the direction
    epsilon = radius / torch.cat([d.flatten() for d in direction]).norm()
    plus, minus = (_shifted_gradient(train, weights, leaves, direction, sign * epsilon) for sign in (1, -1))
    total = [d - step.lr * scale * (p - m) / (2 * epsilon) for d, p, m in zip(direct, plus, minus, strict=True)]
    return surrogate(loss, rows, total)


def surrogate(loss: Tensor, rows: Rows, gradients: Rows) -> Tensor:
    """Return the value of ``loss`` with ``gradients`` as its gradient with respect to ``rows``."""
    linear = torch.stack([(row * g).sum() for row, g in zip(rows, gradients, strict=True)]).sum()
    return loss.detach() + linear - linear.detach()


def _split(gradients: list[Tensor], at: int) -> list:
    return [*gradients[:at], gradients[at:]]


def _shifted_gradient(train: Loss, weights: Weights, rows: Rows, direction: Rows, by: Tensor) -> list[Tensor]:
    shifted = {name: w.detach() + by * d for (name, w), d in zip(weights.items(), direction, strict=True)}
    return gradient(train(shifted, rows), list(rows))


def gradient(loss: Tensor, inputs: Sequence[Tensor], create_graph: bool = False) -> list[Tensor]:
    """Return the gradient of ``loss``; zero for an input that it does not depend on."""
    found = torch.autograd.grad(loss, inputs, create_graph=create_graph, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True)]


UNROLLS = {
    "first_order": first_order,
    "exact": exact,
    "finite_difference": finite_difference,
    "released": finite_difference,  # by the step of ``_released``
}

PASSES = {"first_order": (0, 1), "exact": (3, 1), "finite_difference": (3, 1), "released": (3, 1)}
"""Forward and backward passes over the (training, validation) batch. The exact step's one training pass is
differentiated again, at twice its own cost."""
