"""Deterministic work: multiply-accumulates (MACs) of what ran, a cost that no clock and no machine changes.

A forward pass of an example costs the MACs of the convolutions and matrix products that it ran, a forward
and backward pass three times that: the backward pass computes a gradient of the inputs and one of the
weights, each as costly as the forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

PASS = 3  # a forward and backward pass, in forward passes
KEPT = 4096  # counts, before all are forgotten


class Counter(TorchDispatchMode):
    """Counts the MACs of every convolution and matrix product inside its context, on any device."""

    macs = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.macs += macs(func, args, kwargs or {}, out)
        return out


def macs(func: Any, args: Any, kwargs: Any, out: Any) -> int:
    """Return the MACs of a call of an operation of torch's dispatcher."""
    if func._overloadpacket is torch.ops.aten.convolution_backward:  # torch's own count ignores groups
        grad, _, weight, *_, (to_input, to_weight, _) = args
        return (to_input + to_weight) * grad.numel() * weight[0].numel()
    count = flop_registry.get(func._overloadpacket)
    return 0 if count is None else count(*args, **kwargs, out_val=out) // 2  # a MAC is two operations


class Meter:
    """The MACs of an example on each path of a network, counted when the path runs for the first time.

    Only that run is slower; a run that is counted is otherwise the same.
    """

    def __init__(self) -> None:
        self.known: dict[Hashable, int] = {}

    def run(self, path: Hashable, forward: Callable[[], Tensor], examples: int) -> Tensor:
        """Return what ``forward`` returns for ``examples`` on ``path``."""
        if path in self.known:
            return forward()
        if len(self.known) >= KEPT:
            self.known.clear()
        with Counter() as counter:
            outputs = forward()
        self.known[path] = counter.macs // examples
        return outputs

    def macs(self, path: Hashable) -> int:
        """Return the MACs of one example on a path that has just run."""
        return self.known[path]
