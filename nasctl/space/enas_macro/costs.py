"""What a macro network costs, summed over its parts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from nasctl.core import Genotype, Task
from nasctl.layers.blocks import ConvBN, HalveBN, ReLUConvBN
from nasctl.space._cell.costs import Cost, Shape, counted, halved, total
from nasctl.space.enas_macro.network import Form, operation, reductions


def network_cost(genotype: Genotype, task: Task, form: Form) -> dict[str, int]:
    """Return ``params`` and ``macs`` (of one example) of a genotype's network."""
    return total(_parts(genotype, task, form))


def _parts(genotype: Genotype, task: Task, form: Form) -> Iterator[Cost]:
    skips, channels, side = genotype["skips"], form.channels, task.input_shape[1:]
    yield _stem(task.input_shape, channels)
    for i, name in enumerate(genotype["operations"]):
        yield _operation(name, (channels, *side), form)
        if i:
            yield _join(len(skips[i]), (channels, *side), form)
        if i in reductions(len(skips)):
            wider = channels * 2 if form.double else channels
            half = _half((channels, *side), wider)
            read = {k for joined in skips[i + 1 :] for k in joined} | {i + 1}
            yield {"params": half["params"] * (i + 2), "macs": half["macs"] * len(read & set(range(i + 2)))}
            channels, side = wider, halved(side)
    features = channels * task.num_outputs
    yield {"params": features, "macs": features}


@cache
def _stem(shape: Shape, channels: int) -> Cost:
    return counted(lambda: ConvBN(shape[0], channels, 3), shape)


@cache
def _operation(name: str, shape: Shape, form: Form) -> Cost:
    return counted(lambda: operation(name, shape[0], form), shape)


@cache
def _join(joined: int, shape: Shape, form: Form) -> Cost:
    channels = shape[0]
    if form.combine == "add":
        return {"params": 2 * channels, "macs": 0}
    wide = (joined + 1) * channels
    return counted(lambda: ReLUConvBN(wide, channels, 1, 1, affine=True), (wide, *shape[1:]))


@cache
def _half(shape: Shape, wider: int) -> Cost:
    return counted(lambda: HalveBN(shape[0], wider), shape)
