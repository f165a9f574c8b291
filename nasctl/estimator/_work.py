"""Deterministic work: multiply-accumulates (MACs) of what ran, a cost that no clock and no machine changes.

A forward pass of an example costs the MACs of the convolutions and matrix products that it ran, a forward
and backward pass three times that: the backward pass computes a gradient of the inputs and one of the
weights, each as costly as the forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

PASS = 3  # a forward and backward pass, in forward passes
KEPT = 4096  # counts, before all are forgotten
COMPARED = 3  # paths that are counted both ways, before the cheap one is trusted


class Counter(TorchDispatchMode):
    """Counts the MACs of every convolution and matrix product inside its context, on any device."""

    macs = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.macs += macs(func, args, kwargs or {}, out)
        return out

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Count nothing inside this context, such as a run on the meta device."""
        before = self.macs
        yield
        self.macs = before


def macs(func: Any, args: Any, kwargs: Any, out: Any) -> int:
    """Return the MACs of a call of an operation of torch's dispatcher."""
    if func._overloadpacket is torch.ops.aten.convolution_backward:  # torch's own count ignores groups
        grad, _, weight, *_, (to_input, to_weight, _) = args
        number: int = (to_input + to_weight) * grad.numel() * weight[0].numel()
        return number
    count = flop_registry.get(func._overloadpacket)
    return 0 if count is None else count(*args, **kwargs, out_val=out) // 2  # a MAC is two operations


class LayerCounter:
    """Counts the MACs of the convolutions and linear layers that run as modules inside its context.

    It costs little where `Counter` doubles the time of a path, but is blind to products that are functions.
    """

    macs = 0

    def __enter__(self) -> Self:
        self._hook = register_module_forward_hook(self._add)
        return self

    def __exit__(self, *error: object) -> None:
        self._hook.remove()

    def _add(self, layer: nn.Module, inputs: Any, outputs: Any) -> None:
        if isinstance(layer, nn.Conv2d):
            height, width = layer.kernel_size
            self.macs += outputs.numel() * (inputs[0].shape[1] // layer.groups) * height * width
        elif isinstance(layer, nn.Linear):
            self.macs += outputs.numel() * inputs[0].shape[-1]


class MacCounter:
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
        outputs, macs = self._counted(forward)
        self.known[path] = macs // examples
        return outputs

    def _counted(self, forward: Callable[[], Tensor]) -> tuple[Tensor, int]:
        with Counter() as counter:
            outputs = forward()
        return outputs, counter.macs

    def macs(self, path: Hashable) -> int:
        """Return the MACs of one example on a path that has just run."""
        return self.known[path]


class PathMacCounter(MacCounter):
    """A counter for paths of which nearly every one is new, as samples of a large space are.

    It counts layers, where that agreed with the full count on the first `COMPARED` paths.
    """

    def __init__(self) -> None:
        super().__init__()
        self.compared, self.agreed = 0, True

    def _counted(self, forward: Callable[[], Tensor]) -> tuple[Tensor, int]:
        trusted = self.agreed and self.compared >= COMPARED
        full = Counter()
        with LayerCounter() as layers, nullcontext() if trusted else full:
            outputs = forward()
        if not trusted:
            self.compared += 1
            self.agreed = self.agreed and layers.macs == full.macs
        return outputs, layers.macs if trusted else full.macs
