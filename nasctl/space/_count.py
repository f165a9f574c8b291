"""Count parameters and multiply-accumulates of a network without running it on data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasctl.core import RecurrentNetwork, Task

COUNTED = ("params", "macs")


def costs(network: nn.Module, task: Task) -> dict[str, int]:
    """Return ``params`` and ``macs`` of a network of any layers on the meta device, its auxiliary head left out.

    ``params`` are trainable weights; ``macs`` are the multiply-accumulates of one example, or of one token of a text,
    of all products and convolutions.
    """
    weights = (p for name, p in network.named_parameters() if not name.startswith("auxiliary."))
    return {"params": sum(p.numel() for p in weights if p.requires_grad), "macs": _macs(network.eval(), task)}


def _macs(network: Any, task: Task) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        hidden = network.init_hidden(1) if isinstance(network, RecurrentNetwork) else None
        if hidden is None:
            network(torch.empty(1, *task.input_shape, device="meta"))
        else:
            network(torch.empty(*task.input_shape, 1, dtype=torch.int64, device="meta"), hidden)
    flops: int = counter.get_total_flops()
    return flops // 2 // (1 if hidden is None else task.input_shape[0])


def of_language(network: Any) -> dict[str, int]:
    """Return the same of a language model, which knows the ``macs`` of a token."""
    return {"params": params(network), "macs": network.macs}


def params(network: nn.Module) -> int:
    """Return the number of trainable weights."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def part(network: nn.Module, input_shape: tuple[int, ...]) -> dict[str, int]:
    """Return ``params`` and ``macs`` of a part of a network: the products of its `nn.Conv2d` and `nn.Linear`.

    ``network`` must live on the meta device.
    """
    return {"params": params(network), "macs": _macs_of_layers(network, input_shape)}


def _macs_of_layers(network: nn.Module, input_shape: tuple[int, ...]) -> int:
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
