"""The genotype of the macro space: its rules, its text and its edges.

``operations`` names the operation of each layer, ``skips`` lists for each layer the earlier maps that are joined to
its output: 0 is the stem's, k that of layer k - 1; the map before the last is the nearest one, since the last is the
layer's input anyway. The text is that of the code released with Pham et al. 2018, https://arxiv.org/abs/1802.03268:
layer by layer the operation's number and a bit for each map that may be joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import StrictInt, StrictStr, TypeAdapter, ValidationError

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError, unknown
from nasctl.genotype_format import _literal, _numbers
from nasctl.genotype_format._form import OneText

OPERATIONS = ("conv_3x3", "sep_conv_3x3", "conv_5x5", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3")
"""In the order of the numbers in the text."""

SHALLOWEST = 3  # layers, of which two halve the map

_LAYERS = TypeAdapter(tuple[list[StrictStr], list[list[StrictInt]]])


def check(genotype: Genotype) -> Genotype:
    """Return ``genotype`` if a network can be built from it, or raise `RequestError`."""
    names, skips = _layers(genotype)
    if len(names) != len(skips) or len(names) < SHALLOWEST:
        raise RequestError(
            f"genotype: {len(names)} operations and skips of {len(skips)} layers; give as many of both, "
            f"{SHALLOWEST} or more"
        )
    for i, (name, maps) in enumerate(zip(names, skips, strict=True)):
        if name not in OPERATIONS:
            raise unknown(f"genotype: layer {i}", name, OPERATIONS)
        _check_skips(i, maps)
    return genotype


def _layers(genotype: Genotype) -> tuple[list[str], list[list[int]]]:
    try:
        return _LAYERS.validate_python((genotype["operations"], genotype["skips"]))
    except (KeyError, TypeError, ValidationError) as error:
        raise RequestError(
            "genotype: operations must list a name for each layer and skips a list of earlier maps, which "
            f"{_literal.shown(genotype, _literal.WHOLE)} does not; correct it"
        ) from error


def _check_skips(layer: int, maps: Sequence[int]) -> None:
    for i in maps:
        if not 0 <= i < layer:
            open_maps = f"maps 0 to {layer - 1}" if layer else "no map"
            raise RequestError(f"genotype: layer {layer} joins map {i}, but it can only join {open_maps}; correct it")
    if list(maps) != sorted(set(maps)):
        raise RequestError(f"genotype: layer {layer} joins maps {list(maps)}; list each once, in order")


def parse(text: str, remark: Remark = ignore) -> Genotype:
    """Read ``0 3 0 2 1 0 ...``: an operation for layer 0, then an operation and i skip bits for each layer i.

    Each layer may be a row in brackets, as the logs of that code have it.
    """
    rows = _numbers.rows(text)
    layers = list(_layers_of(rows[0])) if len(rows) == 1 else rows
    names: list[str] = []
    skips: list[list[int]] = []
    for layer, row in enumerate(layers):
        if not row:
            raise RequestError(
                f"genotype text: layer {layer} has an empty row; write its operation and {layer} skip bits"
            )
        operation, *bits = row
        _check_bits(layer, bits)
        names.append(_numbers.name(f"layer {layer}", operation, OPERATIONS))
        skips.append(_joined(layer, bits))
    return check({"operations": names, "skips": skips})


def _layers_of(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the numbers of each layer, of the last one what is left."""
    start, layer = 0, 0
    while start < len(numbers):
        yield numbers[start : start + layer + 1]
        start, layer = start + layer + 1, layer + 1


def _check_bits(layer: int, bits: Sequence[int]) -> None:
    if len(bits) != layer:
        raise RequestError(
            f"genotype text: {len(bits)} skip bits after the operation of layer {layer}, which has {layer}; "
            f"{'add the missing numbers' if len(bits) < layer else 'remove the others'}"
        )


def _joined(layer: int, bits: Sequence[int]) -> list[int]:
    if not set(bits) <= {0, 1}:
        raise RequestError(f"genotype text: layer {layer} has skip bits {' '.join(map(str, bits))}; write 0 or 1 each")
    return [i for i, bit in enumerate(bits) if bit]


def notation(genotype: Genotype) -> str:
    """Return the text that `parse` reads."""
    rows = (
        (OPERATIONS.index(name), *(int(i in maps) for i in range(layer)))
        for layer, (name, maps) in enumerate(zip(genotype["operations"], genotype["skips"], strict=True))
    )
    return " ".join(str(number) for row in rows for number in row)


def layer_edges(genotype: Genotype) -> list[Edge]:
    """Return the edges between layers."""
    maps = ["stem", *(str(i) for i in range(len(genotype["operations"])))]
    found = []
    for layer, (name, joined) in enumerate(zip(genotype["operations"], genotype["skips"], strict=True)):
        found.append((maps[layer], maps[layer + 1], name))
        found += [(maps[i], maps[layer + 1], "skip_connect") for i in joined]
    return found


class EnasMacroFormat(OneText):
    """``0 3 0 2 1 0 ...``: an operation for layer 0, then an operation and i skip bits for each layer i."""

    family: ClassVar = "enas_macro"
    marks: ClassVar = ("[",)
    check = staticmethod(check)
    parse = staticmethod(parse)
    notation = staticmethod(notation)

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        return {"network": layer_edges(genotype)}

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {"skip_connections": sum(map(len, genotype["skips"]))}
