"""Count parameters and multiply-accumulates of a network without running it on data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

COUNTED = ("params", "macs")


def params(network: nn.Module) -> int:
    """Return the number of trainable weights."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def macs(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Return the multiply-accumulates of one example: convolutions and linear layers, nothing else.

    ``network`` must live on the meta device.
    """
    total = 0

    def add(module: Any, inputs: Any, output: torch.Tensor) -> None:
        nonlocal total
        total += output.numel() * (module.weight.numel() // module.weight.shape[0])

    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(add) for layer in layers]
    with torch.no_grad():
        network.eval()(torch.empty(1, *input_shape, device="meta"))
    for hook in hooks:
        hook.remove()
    return total


def on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """Return the network that ``build`` makes, with shapes but no storage."""
    with torch.device("meta"):
        return build()


def cost(network: nn.Module, input_shape: tuple[int, ...]) -> dict[str, int]:
    """Return ``params`` and ``macs`` of a network on the meta device."""
    return {"params": params(network), "macs": macs(network, input_shape)}
