"""What a stacked-cell network costs, summed over its parts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from torch import nn

from nasctl.core import Genotype, Task
from nasctl.genotype_format.darts import KINDS
from nasctl.space._cell.costs import Cost, Shape, counted, halved, total
from nasctl.space._cell.operations import BUILDABLE
from nasctl.space._cell.slots import Slot
from nasctl.space.darts.network import Form, Stem, placed, preprocess


def network_cost(genotype: Genotype, task: Task, form: Form) -> dict[str, int]:
    """Return ``params`` and ``macs`` (of one example) of a genotype's network, its auxiliary head left out."""
    return total(_parts(genotype, task, form))


def operation_cost(operation: str, kind: str, source: int, nodes: int, task: Task, form: Form) -> dict[str, int]:
    """Return what ``operation``, on an edge from state ``source``, costs in all cells of a ``kind``."""
    bare = bare_genotype(nodes)
    with_one, without = (
        network_cost(genotype, task, form) for genotype in (bare | {kind: [[operation, source]]}, bare)
    )
    return {name: with_one[name] - without[name] for name in without}


def bare_genotype(nodes: int) -> dict[str, Any]:
    """Return the genotype of a network whose cells hold nothing but their inputs' convolutions."""
    return {key: value for kind in KINDS for key, value in ((kind, []), (f"{kind}_concat", list(range(nodes))))}


def _parts(genotype: Genotype, task: Task, form: Form) -> Iterator[Cost]:
    yield _stem(form, task.input_shape)
    widths = {kind: len(genotype[f"{kind}_concat"]) for kind in ("normal", "reduce")}
    shrunk = 8 if form.stem == "imagenet" else 1
    side, features = tuple(length // shrunk for length in task.input_shape[1:]), 0
    for slot in placed(form, widths.__getitem__):
        yield from _cell(genotype, slot, side, form)
        side = halved(side) if slot.reduction else side
        features = slot.channels * widths[slot.kind]
    yield _classifier(features, task.num_outputs)


def _cell(genotype: Genotype, slot: Slot, side: Shape, form: Form) -> Iterator[Cost]:
    """Yield the cost of each part of a cell whose last input is a map of ``side``."""
    yield _preprocess(slot, side, form.affine)
    for name, source in genotype[slot.kind]:
        strided = slot.reduction and source < 2
        stands = side if strided or not slot.reduction else halved(side)
        yield _operation(name, slot.channels, stands, 2 if strided else 1, form.affine, form.pool_norm)


@cache
def _stem(form: Form, shape: Shape) -> Cost:
    return counted(partial(Stem, shape[0], form), shape)


@cache
def _preprocess(slot: Slot, side: Shape, affine: bool) -> Cost:
    sides = tuple(length * 2 for length in side) if slot.after_reduction else side, side
    before, last = (
        counted(lambda i=i: preprocess(slot, affine)[i], (channels, *size))  # type: ignore[misc]
        for i, (channels, size) in enumerate(zip((slot.c_before, slot.c_in), sides, strict=True))
    )
    return {name: before[name] + last[name] for name in before}


@cache
def _operation(name: str, channels: int, side: Shape, stride: int, affine: bool, pool_norm: bool) -> Cost:
    return counted(lambda: BUILDABLE[name](channels, stride, affine, pool_norm), (channels, *side))


@cache
def _classifier(features: int, outputs: int) -> Cost:
    return counted(partial(nn.Linear, features, outputs), (features,))
