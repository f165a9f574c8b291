"""Second order, the Hessian's product by a finite difference.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 2.3, equations 7 and 8.
"""

from __future__ import annotations

from typing import Any

import torch
from pydantic import PositiveFloat
from torch import Tensor, nn

from nasctl.estimator.unroll._bilevel import Bilevel, Loss, Mixtures, Plain, Weights, gradient, surrogate


class FiniteDifference(Plain):
    """A surrogate whose gradient is equation 7 with the Hessian product of equation 8.

    ``radius`` over the norm of the validation gradient is epsilon; the paper takes 0.01. Where the step clips, the
    factor by which it does is taken as a constant, and the validation gradient is clipped too, as the paper's code
    for recurrent cells does (https://github.com/quark0/darts, rnn/architect.py).
    """

    passes, twice = (3, 1), False

    def __init__(self, *, radius: PositiveFloat) -> None:
        self.radius = radius

    def loss(self, problem: Bilevel, mixtures: Mixtures, net: nn.Module) -> Tensor:
        train, val, weights, step = problem.train, problem.val, problem.weights, problem.step
        fixed = [mixture.detach() for mixture in mixtures]
        leaves = [mixture.clone().requires_grad_() for mixture in fixed]
        behind = gradient(train(weights, fixed), list(weights.values()))
        ahead, scale = step(weights, behind), step.carried(behind)
        moved = {name: w.detach().requires_grad_() for name, w in ahead.items()}
        loss = val(moved, leaves)
        *direction, direct = _split(gradient(loss, [*moved.values(), *leaves]), len(moved))
        scale = scale * step.scale(direction)  # the product is linear in the direction
        epsilon = self.radius / torch.cat([d.flatten() for d in direction]).norm()
        plus, minus = (_shifted_gradient(train, weights, leaves, direction, sign * epsilon) for sign in (1, -1))
        total = [d - step.lr * scale * (p - m) / (2 * epsilon) for d, p, m in zip(direct, plus, minus, strict=True)]
        return surrogate(loss, mixtures, total)


def _split(gradients: list[Tensor], at: int) -> list[Any]:
    return [*gradients[:at], gradients[at:]]


def _shifted_gradient(
    train: Loss, weights: Weights, mixtures: Mixtures, direction: Mixtures, by: Tensor
) -> list[Tensor]:
    shifted = {name: w.detach() + by * d for (name, w), d in zip(weights.items(), direction, strict=True)}
    return gradient(train(shifted, mixtures), list(mixtures))
