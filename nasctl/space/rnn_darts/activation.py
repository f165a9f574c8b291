"""The activations of highway nodes, and what a node makes of a state (Zilly et al. 2017, https://arxiv.org/abs/1607.03474)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def _identity(x: Tensor) -> Tensor:
    return x


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": _identity,
}
FIRST = "tanh"  # of the state that is made of the input and the last output


def highway(state: Tensor, product: Tensor, activation: str) -> Tensor:
    """Return ``s + sigmoid(c) (f(v) - s)`` for a state ``(B, H)`` and a product ``(B, 2 H)`` that holds c and v."""
    gate, value = product.to(state.dtype).chunk(2, dim=1)  # autocast makes products in half precision
    return torch.lerp(state, ACTIVATIONS[activation](value), gate.sigmoid())
