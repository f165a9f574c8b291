"""What a node of the relaxed cell takes from an earlier state: a mixture of all activations.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, equation 2 and appendix A.2.1. With one product for all
activations of an edge, the mixture of ``s + c (f_k(v) - s)`` with weights p_k is ``P s + c (sum_k p_k f_k(v) - P s)``
where P is their sum: one gate and one state for all activations.

Shapes: B columns, m nodes, H units, K activations. ``product`` ``(B, 2, m, A, H)`` holds gates, then values, for
each activation or one for all (A = 1); ``weights`` is ``(m, K)``, ``state`` ``(B, H)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from nasctl.space.rnn_darts.activation import ACTIVATIONS

Gradients = tuple[Tensor, Tensor, Tensor | None]


def mixture(product: Tensor, state: Tensor, weights: Tensor, names: Sequence[str]) -> Tensor:
    """Return ``(B, m, H)``, what m later nodes take from ``state`` by the activations ``names``."""
    gates, values = product.unbind(1)
    total: Tensor | None = None
    for a in range(product.shape[3]):
        chosen = range(len(names)) if product.shape[3] == 1 else (a,)
        mixed: Tensor | None = None
        for k in chosen:
            weight, output = weights[:, k, None], ACTIVATIONS[names[k]](values[:, :, a])
            mixed = weight * output if mixed is None else mixed.addcmul_(weight, output)
        share = weights[:, chosen[0] : chosen[-1] + 1].sum(1, keepdim=True) * state[:, None]
        part = torch.lerp(share, mixed, gates[:, :, a].sigmoid())  # type: ignore[arg-type]
        total = part if total is None else total.add_(part)
    return total  # type: ignore[return-value]


SLOPES: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "tanh": lambda total, w, f, wf: total.add_(w).addcmul_(wf, f, value=-1),
    "relu": lambda total, w, f, wf: total.add_(torch.where(f > 0, w, 0.0)),
    "sigmoid": lambda total, w, f, wf: total.add_(wf).addcmul_(wf, f, value=-1),
    "identity": lambda total, w, f, wf: total.add_(w),
}
"""Adds to a total a weight w times the derivative of each activation where it is f, by f and their product w f."""


def gradients(
    grad: Tensor, product: Tensor, state: Tensor, weights: Tensor, names: Sequence[str], of_weights: bool
) -> Gradients:
    """Return the gradients of `mixture` to product (A = 1), state and, where wanted, weights."""
    gate, value = product[:, 0, :, 0].sigmoid(), product[:, 1, :, 0]
    share, through = weights.sum(1)[:, None], grad * gate
    past = grad - through  # the gate lets this part of the state through
    mixed, slope, outputs = -share * state[:, None], torch.zeros_like(through), []
    for k, name in enumerate(names):
        weight, output = weights[:, k, None], ACTIVATIONS[name](value)
        weighted = weight * output
        mixed, slope = mixed.add_(weighted), SLOPES[name](slope, weight, output, weighted)
        outputs.append(output)
    to_gate = torch.addcmul(through, through, gate, value=-1) * mixed
    to_product = torch.stack([to_gate, through * slope], 1)[:, :, :, None]
    to_state = (past * share).sum(1)
    if not of_weights:
        return to_product, to_state, None
    shared = (past * state[:, None]).sum((0, 2))
    return to_product, to_state, torch.stack([(through * f).sum((0, 2)) + shared for f in outputs], 1)


def mixed(product: Tensor, state: Tensor, weights: Tensor, names: Sequence[str]) -> Tensor:
    """Return what `mixture` does, with its gradients computed in one go where A = 1."""
    way = mixture if product.shape[3] > 1 else _Mixture.apply
    return way(product, state, weights, names)


class _Mixture(torch.autograd.Function):
    """`mixture` with A = 1; keeps only its inputs for the backward pass."""

    @staticmethod
    def forward(ctx: Any, product: Tensor, state: Tensor, weights: Tensor, names: Sequence[str]) -> Tensor:
        ctx.save_for_backward(product, state, weights)
        ctx.names = names
        return mixture(product, state, weights, names)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        product, state, weights = ctx.saved_tensors
        return *gradients(grad, product, state, weights, ctx.names, ctx.needs_input_grad[2]), None
