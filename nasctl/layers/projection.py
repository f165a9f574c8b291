"""Products with one matrix at every time step of a recurrent layer.

Autograd would compute the gradient to the matrix step by step, a thin product and a sum of two large matrices each.
Here the step's gradients are collected and the gradient to the matrix is one product over all time steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class Projection:
    """Maps ``(B, inputs)`` to ``(B, outputs)`` by ``weight`` ``(inputs, outputs)``, at most ``steps`` times."""

    def __init__(self, weight: Tensor, steps: int, batch: int) -> None:
        self.weight = weight
        self.seen: list[Tensor] = []
        self.terms: Sequence[Tensor] | None = None
        if torch.is_grad_enabled() and weight.requires_grad:
            self.terms = _Terms.apply(weight, self.seen, steps, batch).unbind()

    def __call__(self, x: Tensor) -> Tensor:
        if self.terms is None:
            return x @ self.weight
        term = self.terms[len(self.seen)]
        self.seen.append(x.detach())
        outputs: Tensor = _Product.apply(x, self.weight, term)
        return outputs


def times(x: Tensor, weight: Tensor | Projection) -> Tensor:
    """Return the product with a matrix, or with one that is used at every time step."""
    return weight(x) if isinstance(weight, Projection) else x @ weight


class _Terms(torch.autograd.Function):
    """A term of zeros for each product, whose gradients are those of the products: ``(steps, B, outputs)``."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, seen: list[Tensor], steps: int, batch: int) -> Tensor:
        ctx.seen = seen
        return weight.new_zeros(()).expand(steps, batch, weight.shape[1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        steps = len(ctx.seen)
        return torch.cat(ctx.seen).T @ grad[:steps].flatten(0, 1), None, None, None


class _Product(torch.autograd.Function):
    """``x @ weight``. The gradient to the weight goes by way of the term, unless it is to be differentiated again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, term: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        to_x = grad @ weight.T if ctx.needs_input_grad[0] else None
        if torch.is_grad_enabled():
            return to_x, x.T @ grad, None
        return to_x, None, grad
