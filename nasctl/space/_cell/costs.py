"""What a network costs, summed over its parts, each of which is counted once on the meta device.

The sums equal the count of the whole network, in a small part of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from torch import nn

from nasctl.space import _count

Cost = Mapping[str, int]
Shape = tuple[int, ...]


def total(parts: Iterable[Cost]) -> dict[str, int]:
    """Return the ``params`` and ``macs`` of all parts."""
    found = list(parts)
    return {name: sum(part[name] for part in found) for name in _count.COUNTED}


def counted(build: Callable[[], nn.Module], shape: Shape) -> Cost:
    """Return the cost of the part that ``build`` makes, for one input of ``shape``."""
    return _count.part(_count.on_meta(build), shape)


def halved(side: Shape) -> Shape:
    """Return the sides of a map after a reduction."""
    return tuple(length // 2 for length in side)
