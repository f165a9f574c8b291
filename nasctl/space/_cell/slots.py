"""Where the cells of a network stand: which channels they read and write, and which halve the map."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    """Where a cell stands: channels of its two inputs and of its nodes, and which cells halve the map."""

    c_before: int
    c_in: int
    channels: int
    reduction: bool
    after_reduction: bool

    @property
    def kind(self) -> str:
        return "reduce" if self.reduction else "normal"


def slots(
    layers: int,
    reductions: Collection[int],
    channels: int,
    c_stem: int,
    width: Callable[[str], int],
    after_reduction: bool = False,
) -> Iterator[Slot]:
    """Yield the slot of each cell; ``width(kind)`` is the number of states that a cell concatenates.

    ``channels`` double at each of the ``reductions``; ``after_reduction`` says whether the stem halves the map last.
    """
    c_before = c_in = c_stem
    for layer in range(layers):
        reduction = layer in reductions
        channels *= 2 if reduction else 1
        slot = Slot(c_before, c_in, channels, reduction, after_reduction)
        yield slot
        c_before, c_in, after_reduction = c_in, channels * width(slot.kind), reduction
