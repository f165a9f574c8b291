"""All edges that leave one state of a cell, computed together instead of one operation at a time.

An operation that runs on n edges is computed once for the n: layer by layer, the n layers' weights concatenated,
so that a map holds the channels of the first edge, then those of the second, and so on. Before the first layer
with weights the n operations do the same and one map stands for all; ReLU, pooling and the norm after it are so
computed once per state. The weight of an operation becomes the scale of its last norm. Parameters and running
statistics stay in the modules of the single operations.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasctl.layers.blocks import Halve
from nasctl.layers.depthwise import Depthwise, depthwise
from nasctl.layers.mixture import Terms
from nasctl.layers.norm import Norm, normalise, running, track
from nasctl.layers.pointwise import Pointwise, pointwise

log = logging.getLogger("nasctl")

Edge = nn.ModuleDict
"""The operations of one edge by name."""


def fan_out(
    x: Tensor,
    names: Sequence[str],
    edges: Sequence[Edge],
    mixtures: Sequence[Terms],
    drop: Callable[[Tensor], Tensor] | None = None,
) -> list[list[Tensor]]:
    """Return for each edge that leaves ``x`` the weighted outputs whose sum its node takes.

    ``names`` are those of the options that a mixture counts; one that an edge lacks, as ``none``, adds nothing.
    Where an edge has a single option, as on a path, few edges share it and each runs alone; so do all where
    ``drop`` drops examples of every output but a skip's.
    """
    state = _State(x)
    alone = drop is not None or any(len(mixture) < 2 for mixture in mixtures)
    outputs: list[list[Tensor]] = [[] for _ in edges]
    shared: dict[tuple[int, ...], list[tuple[Tensor, list[Tensor | None]]]] = {}  # by edges: a map, its weight on each
    wide: dict[tuple[int, ...], list[Tensor]] = {}  # by edges: a map that holds their outputs side by side
    for name, weights in _running(names, edges, mixtures).items():
        operations, members = [edges[i][name] for i in weights], tuple(weights)
        if alone or not _is_known(operations[0]):
            for (i, weight), operation in zip(weights.items(), operations, strict=True):
                outputs[i].append(_alone(operation, x, weight, drop))
        elif _is_the_same_on_all(operations[0]):
            shared.setdefault(members, []).append((_share(operations, x), list(weights.values())))
        else:
            wide.setdefault(members, []).append(_join(operations, state, weights.values()))
    sums: list[tuple[tuple[int, ...], Sequence[Tensor]]]
    sums = [(members, _mix(terms)) for members, terms in shared.items()]
    sums += [(members, sum(maps[1:], maps[0]).chunk(len(members), dim=1)) for members, maps in wide.items()]
    for members, parts in sums:
        for i, y in zip(members, parts, strict=True):
            outputs[i].append(y)
    return outputs


def _running(
    names: Sequence[str], edges: Sequence[Edge], mixtures: Sequence[Terms]
) -> dict[str, dict[int, Tensor | None]]:
    """Return for each operation the edges on which it runs and its weight there."""
    found: dict[str, dict[int, Tensor | None]] = {}
    for i, (edge, mixture) in enumerate(zip(edges, mixtures, strict=True)):
        for option, weight in mixture:
            if names[option] in edge:
                found.setdefault(names[option], {})[i] = weight
    return found


def _alone(operation: nn.Module, x: Tensor, weight: Tensor | None, drop: Callable[[Tensor], Tensor] | None) -> Tensor:
    y = operation(x)
    y = y if drop is None or isinstance(operation, nn.Identity) else drop(y)
    return y if weight is None else weight * y


class _State:
    """A state, and its rectified copies with which operations begin."""

    def __init__(self, x: Tensor) -> None:
        self.x = x
        self._rectified: dict[int, Tensor] = {}

    def rectified(self, copies: int) -> Tensor:
        """Return ``(n, copies * c, h, w)``."""
        if copies not in self._rectified:
            self._rectified[copies] = F.relu(self.x) if copies == 1 else torch.cat([self.rectified(1)] * copies, dim=1)
        return self._rectified[copies]


def _layers(operation: nn.Module) -> list[nn.Module]:
    return list(operation) if isinstance(operation, nn.Sequential) else [operation]


def _is_known(operation: nn.Module) -> bool:
    unknown = [type(layer).__name__ for layer in _layers(operation) if not _has_rule(layer)]
    for kind in unknown:
        _warn(kind)
    return not unknown


def _has_rule(layer: nn.Module) -> bool:
    if type(layer) is nn.Conv2d:
        return layer.bias is None and layer.groups == 1 and layer.padding_mode == "zeros"
    return type(layer) in TOGETHER


@cache
def _warn(kind: str) -> None:
    log.warning("operations with a layer of type %s run one by one, since there is no rule to join it", kind)


def _is_the_same_on_all(operation: nn.Module) -> bool:
    """Return whether the operation has nothing of its own on an edge; a norm in training has not."""
    norms = [layer for layer in _layers(operation) if type(layer) is Norm]
    return not list(operation.parameters()) and all(norm.training for norm in norms)


def _share(operations: Sequence[nn.Module], x: Tensor) -> Tensor:
    """Return the map that all operations yield."""
    for same in zip(*map(_layers, operations), strict=True):
        x = TOGETHER[type(same[0])](x, same)
    return x


def _mix(terms: Sequence[tuple[Tensor, Sequence[Any]]]) -> list[Tensor]:
    """Return for each edge the weighted sum of the maps that all edges share: one matrix product, in memory's order."""
    maps, weights = zip(*terms, strict=True)
    last = maps[0].is_contiguous(memory_format=torch.channels_last)
    order, back = ((0, 2, 3, 1), (0, 3, 1, 2)) if last else ((0, 1, 2, 3), (0, 1, 2, 3))
    matrix = torch.stack([y.permute(order).flatten() for y in maps])
    mixed = torch.stack([torch.stack(list(weight)) for weight in weights], dim=1) @ matrix
    shape = maps[0].permute(order).shape
    return [y.view(shape).permute(back) for y in mixed.unbind()]


def _join(operations: Sequence[nn.Module], state: _State, weights: Iterable[Tensor | None]) -> Tensor:
    """Return the weighted outputs of all operations side by side, ``(n, operations * c, h, w)``."""
    steps = list(zip(*map(_layers, operations), strict=True))
    y, channels = state.x, state.x.shape[1]
    if type(steps[0][0]) is nn.ReLU:
        y = state.rectified(len(operations) if type(steps[1][0]) is Depthwise else 1)
        steps = steps[1:]
    scales = [weight for weight in weights if weight is not None]
    scale = torch.stack(scales).repeat_interleave(channels) if scales else None
    for same in steps[:-1]:
        y = TOGETHER[type(same[0])](y, same)
    last = steps[-1]
    if type(last[0]) is Norm:
        return _normalise(y, last, scale)
    y = TOGETHER[type(last[0])](y, last)
    return y if scale is None else y * scale[:, None, None]


def _first(y: Tensor, same: Sequence[nn.Module]) -> Tensor:
    outputs: Tensor = same[0](y)
    return outputs


def _convolve(y: Tensor, same: Sequence[nn.Conv2d]) -> Tensor:
    conv, weight = same[0], torch.cat([conv.weight for conv in same])
    if isinstance(conv, Depthwise):
        return depthwise(y, weight, conv.stride[0], conv.dilation[0])
    groups = y.shape[1] // conv.in_channels  # 1 where all read the same map
    if isinstance(conv, Pointwise) and groups == 1:
        return pointwise(y, weight)
    return F.conv2d(y, weight, None, conv.stride, conv.padding, conv.dilation, groups * conv.groups)


def _halve(y: Tensor, same: Sequence[Halve]) -> Tensor:
    return F.conv2d(y, torch.cat([halve.weight for halve in same]), stride=2, groups=y.shape[1] // same[0].in_channels)


def _normalise(y: Tensor, same: Sequence[Norm], scale: Tensor | None = None) -> Tensor:
    norm = same[0]
    if y.shape[1] == norm.num_features and not (norm.training and norm.weight is None):
        y = torch.cat([y] * len(same), dim=1)
    weight, bias = _scaled(same, scale)
    if not norm.training:
        mean, variance = (torch.cat(values) for values in running(same))
        return F.batch_norm(y, mean, variance, weight, bias, False, 0.0, norm.eps)
    y, mean, variance = normalise(y, weight, bias, norm.eps)
    track(same, mean, variance)
    return y


def _scaled(same: Sequence[Norm], scale: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """Return scale and shift of the norms side by side, multiplied by ``scale``."""
    if same[0].weight is None:
        return scale, None
    weight, bias = torch.cat([n.weight for n in same]), torch.cat([n.bias for n in same])
    return (weight, bias) if scale is None else (weight * scale, bias * scale)


TOGETHER: dict[type[nn.Module], Callable[[Tensor, Sequence[Any]], Tensor]] = {
    nn.Identity: _first,
    nn.ReLU: _first,
    nn.MaxPool2d: _first,
    nn.AvgPool2d: _first,
    nn.Conv2d: _convolve,
    Depthwise: _convolve,
    Pointwise: _convolve,
    Halve: _halve,
    Norm: _normalise,
}
"""How the layers of several operations at one place are computed: (map, layers) -> map."""
