"""How the nodes of tree-shaped cells combine two values, and what they make of the result.

Zoph and Le 2017, https://arxiv.org/abs/1611.01578, section 4.2; max and sin are those of its larger space.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

COMBINATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add,
    "elem_mult": torch.mul,
    "max": torch.maximum,
}
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "sin": torch.sin,
}
