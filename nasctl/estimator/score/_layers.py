"""The layers whose weights a score looks at."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn


def reached(network: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield weight and gradient of the convolutions and linear layers that the gradient reached."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module.weight.grad is not None:
            yield module.weight, module.weight.grad
