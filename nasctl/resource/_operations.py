"""The operations of a network's forward pass, and how one of them is run by itself.

They are taken from torch's dispatcher while the network runs on the meta device, so nothing is computed and no
space has to say what its networks consist of. Views, which move no data, are left out.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

PRODUCTS = {  # arguments and their dimensions that hold the channels that go in, and those that come out
    "aten::addmm": (((1, 1), (2, 0)), ((0, 0), (2, 1))),
    "aten::mm": (((0, 1), (1, 0)), ((1, 1),)),
    "aten::convolution": (((0, 1), (1, 1)), ((1, 0), (2, 0))),
}


@dataclass(frozen=True)
class Shape:
    """A tensor as far as its values do not matter; ``order`` lists its dimensions from the slowest in memory."""

    sizes: tuple[int, ...]
    order: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, tensor: Tensor) -> Shape:
        order = sorted(range(tensor.dim()), key=tensor.stride().__getitem__, reverse=True)
        return cls(tuple(tensor.shape), tuple(order), tensor.dtype)

    def tensor(self, device: torch.device) -> Tensor:
        """Return a tensor of this shape: halves, or zeros where it holds integers."""
        sizes = [self.sizes[d] for d in self.order]
        value = 0.5 if self.dtype.is_floating_point else 0
        filled = torch.full(sizes, value, dtype=self.dtype, device=device)
        return filled.permute(sorted(range(len(sizes)), key=self.order.__getitem__))

    def __str__(self) -> str:
        return f"{list(self.sizes)}{'' if list(self.order) == sorted(self.order) else list(self.order)}"


@dataclass(frozen=True)
class Call:
    """An operation and its arguments, with a `Shape` in the place of each tensor."""

    operation: Any
    arguments: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...]

    def on(self, device: torch.device) -> Callable[[], object]:
        """Return a function that runs the operation on ``device``."""
        arguments = [_replaced(a, Shape, lambda shape: shape.tensor(device)) for a in self.arguments]
        named = {k: _replaced(v, Shape, lambda shape: shape.tensor(device)) for k, v in self.named}
        return lambda: self.operation(*arguments, **named)

    def __str__(self) -> str:
        named = [f"{key}={value}" for key, value in self.named]
        return " ".join([self.operation.name(), *map(_text, self.arguments), *named])

    def channels(self) -> tuple[int, int] | None:
        """Return the channels or units that go into a product and those that come out; None for anything else."""
        places = PRODUCTS.get(self.operation.name())
        found = [{self.arguments[i].sizes[d] for i, d in side if self._is_tensor(i)} for side in places or ()]
        if not found or any(len(sizes) > 1 for sizes in found):  # a grouped convolution sees a part of its input
            return None
        into, out = (sizes.pop() for sizes in found)
        return into, out

    def _is_tensor(self, place: int) -> bool:
        return isinstance(self.arguments[place], Shape)

    def resized(self, channels: tuple[int, int]) -> Call:
        """Return the same product with other ``channels``."""
        arguments = list(self.arguments)
        for side, size in zip(PRODUCTS[self.operation.name()], channels, strict=True):
            for i, d in side:
                if self._is_tensor(i):
                    sizes = arguments[i].sizes
                    arguments[i] = replace(arguments[i], sizes=(*sizes[:d], size, *sizes[d + 1 :]))
        return replace(self, arguments=tuple(arguments))


class Recorder(TorchDispatchMode):
    """Counts the calls made inside its context."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[Call] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = Call(func, _frozen(args), tuple((k, _frozen(v)) for k, v in (kwargs or {}).items()))
        if not _is_view(func) and "Shape(" in repr(call):  # what reads no tensor makes one: no part of a pass
            self.calls[call] += 1
        return func(*args, **(kwargs or {}))


@torch.no_grad()
def calls(network: nn.Module, input_shape: Sequence[int], batch_size: int) -> Counter[Call]:
    """Return how often each operation runs when ``network``, on the meta device, evaluates a batch."""
    with Recorder() as recorder:
        network.eval()(torch.empty(batch_size, *input_shape, device="meta"))
    made: Counter[Call] = recorder.calls
    return made


def between(call: Call, knots: Sequence[int]) -> Iterator[tuple[float, Call]]:
    """Yield the calls at the nearest ``knots`` and their weights, which interpolate linearly in both channels."""
    channels = call.channels()
    if channels is None:
        yield 1.0, call
        return
    for (into_weight, into), (out_weight, out) in product(*(_around(size, knots) for size in channels)):
        yield into_weight * out_weight, call.resized((into, out))


def _around(size: int, knots: Sequence[int]) -> list[tuple[float, int]]:
    """Return the knots on both sides of ``size`` with their weights, or ``size`` where it is one or beyond all."""
    place = bisect(knots, size)
    if size in knots or place in (0, len(knots)):
        return [(1.0, size)]
    low, high = knots[place - 1], knots[place]
    return [((high - size) / (high - low), low), ((size - low) / (high - low), high)]


def _is_view(operation: Any) -> bool:
    aliases = [returned.alias_info for returned in operation._schema.returns]
    return any(alias is not None and not alias.is_write for alias in aliases)


def _frozen(value: Any) -> Any:
    return _replaced(value, Tensor, Shape.of)


def _replaced(value: Any, kind: type, by: Callable[[Any], Any]) -> Any:
    """Return ``value``, its lists as tuples, with everything of ``kind`` in it replaced."""
    if isinstance(value, list | tuple):
        return tuple(_replaced(each, kind, by) for each in value)
    return by(value) if isinstance(value, kind) else value


def _text(value: Any) -> str:
    return f"({' '.join(map(_text, value))})" if isinstance(value, tuple) else str(value)
