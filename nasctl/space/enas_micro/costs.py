"""What a micro network costs, summed over its parts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from nasctl.core import Genotype, Task
from nasctl.genotype_format.enas_micro import KINDS, loose_ends
from nasctl.layers.blocks import ConvBN, HalveBN, ReLUConvBN
from nasctl.space._cell.costs import Cost, Shape, counted, halved, total
from nasctl.space._cell.slots import Slot
from nasctl.space.enas_micro.network import Form, fitted, operation, placed


def network_cost(genotype: Genotype, task: Task, form: Form) -> dict[str, int]:
    """Return ``params`` and ``macs`` (of one example) of a concatenating network, its auxiliary head left out."""
    return total(_parts(genotype, task, form))


def _parts(genotype: Genotype, task: Task, form: Form) -> Iterator[Cost]:
    ends = {kind: loose_ends(genotype[kind]) for kind in KINDS}
    side, features = task.input_shape[1:], 0
    yield _stem(task.input_shape, 3 * form.channels)
    for slot in placed(form, lambda kind: len(ends[kind])):
        yield from _inputs(slot, side)
        yield from _nodes(genotype[slot.kind], slot, side)
        if slot.reduction:
            yield from [_half(slot.channels, side) for i in ends[slot.kind] if i < 2]
            side = halved(side)
        features = slot.channels * len(ends[slot.kind])
    yield dict.fromkeys(("params", "macs"), features * task.num_outputs)


def _inputs(slot: Slot, side: Shape) -> Iterator[Cost]:
    larger = tuple(2 * length for length in side) if slot.after_reduction else side
    yield _fitted(slot.c_before, slot.channels, larger, slot.after_reduction)
    yield _fitted(slot.c_in, slot.channels, side, False)
    yield _fitted_again(slot.channels, side)


def _nodes(picks: list[tuple[str, int]], slot: Slot, side: Shape) -> Iterator[Cost]:
    for name, source in picks:
        strided = slot.reduction and source < 2
        stands = side if strided or not slot.reduction else halved(side)
        yield _operation(name, slot.channels, stands, 2 if strided else 1)


@cache
def _stem(shape: Shape, channels: int) -> Cost:
    return counted(lambda: ConvBN(shape[0], channels, 3), (shape[0], *shape[1:]))


@cache
def _fitted(c_in: int, channels: int, side: Shape, larger: bool) -> Cost:
    return counted(lambda: fitted(c_in, channels, larger), (c_in, *side))


@cache
def _fitted_again(channels: int, side: Shape) -> Cost:
    return counted(lambda: ReLUConvBN(channels, channels, 1, 1, affine=True), (channels, *side))


@cache
def _operation(name: str, channels: int, side: Shape, stride: int) -> Cost:
    return counted(lambda: operation(name, channels, stride), (channels, *side))


@cache
def _half(channels: int, side: Shape) -> Cost:
    return counted(lambda: HalveBN(channels, channels), (channels, *side))
