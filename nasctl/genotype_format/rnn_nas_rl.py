"""The genotype of the tree-shaped recurrent cells: its rules, its text and its edges.

Zoph and Le 2017, https://arxiv.org/abs/1611.01578, section 3.4. ``nodes`` lists a [combination, activation] pair for
each node of a binary tree, leaves first, then level by level, the root last; ``inject`` is the pair that merges the
last cell state into a node's output, and ``cell`` holds the node whose value before its activation is the new cell
state, and the node that the last one is merged into.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import StrictInt, StrictStr, TypeAdapter, ValidationError

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError, unknown
from nasctl.genotype_format import _literal, _numbers
from nasctl.genotype_format._form import OneText

Pair = tuple[str, str]
COMBINATIONS = ("add", "elem_mult", "max")
ACTIVATIONS = ("identity", "tanh", "sigmoid", "relu", "sin")

_CELL = TypeAdapter(tuple[list[tuple[StrictStr, StrictStr]], tuple[StrictStr, StrictStr], tuple[StrictInt, StrictInt]])
_TEXT = re.compile(r"\s*(?P<nodes>\w+:\w+(\s+\w+:\w+)*)\s+inject=(?P<inject>\w+:\w+)\s+cell=(?P<a>\d+),(?P<b>\d+)\s*")


def children(nodes: int) -> list[tuple[int, int] | None]:
    """Return the two nodes that each node of the tree combines; None for a leaf, which combines input and output."""
    leaves = (nodes + 1) // 2
    return [None if node < leaves else (2 * (node - leaves), 2 * (node - leaves) + 1) for node in range(nodes)]


def check(genotype: Genotype) -> Genotype:
    """Return ``genotype`` if a network can be built from it, or raise `RequestError`."""
    nodes, inject, (new, merged) = _cell(genotype)
    leaves = (len(nodes) + 1) // 2
    if len(nodes) < 3 or leaves & (leaves - 1) or len(nodes) % 2 == 0:
        raise RequestError(
            f"genotype: {len(nodes)} nodes are no full binary tree; list 3, 7, 15 or another power of two less one"
        )
    for place, (combination, activation) in zip([*range(len(nodes)), "inject"], [*nodes, inject], strict=True):
        where = f"genotype: {place}" if place == "inject" else f"genotype: node {place}"
        if combination not in COMBINATIONS:
            raise unknown(where, combination, COMBINATIONS)
        if activation not in ACTIVATIONS:
            raise unknown(where, activation, ACTIVATIONS)
    if not 0 <= new < len(nodes) or not 0 <= merged < len(nodes) - 1:
        raise RequestError(
            f"genotype: cell={[new, merged]} must be a node from 0 to {len(nodes) - 1} and one from 0 to "
            f"{len(nodes) - 2}, which another node reads; correct it"
        )
    return genotype


def _cell(genotype: Genotype) -> tuple[list[Pair], Pair, tuple[int, int]]:
    try:
        return _CELL.validate_python((genotype["nodes"], genotype["inject"], genotype["cell"]))
    except (KeyError, TypeError, ValidationError) as error:
        raise RequestError(
            "genotype: nodes must list [combination, activation] pairs, inject be one, and cell be two nodes, "
            f"which {_literal.shown(genotype, _literal.WHOLE)} does not; correct it"
        ) from error


def parse(text: str, remark: Remark = ignore) -> Genotype:
    """Read ``add:tanh elem_mult:relu elem_mult:sigmoid inject=add:relu cell=1,0``."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise RequestError(
            f"genotype text: {_literal.shown(text, _literal.WHOLE)} is not of the form combination:activation ... "
            "inject=combination:activation cell=1,0; correct it"
        )
    pairs = [pair.split(":") for pair in [*found["nodes"].split(), found["inject"]]]
    return check(
        {"nodes": pairs[:-1], "inject": pairs[-1], "cell": [_numbers.number(found["a"]), _numbers.number(found["b"])]}
    )


def notation(genotype: Genotype) -> str:
    """Return the text that `parse` reads."""
    nodes = " ".join(":".join(pair) for pair in genotype["nodes"])
    a, b = genotype["cell"]
    return f"{nodes} inject={':'.join(genotype['inject'])} cell={a},{b}"


def cell_edges(genotype: Genotype) -> list[Edge]:
    """Return the edges of a cell."""
    found: list[Edge] = []
    pairs: Sequence[Pair] = genotype["nodes"]
    for node, (pair, below) in enumerate(zip(pairs, children(len(pairs)), strict=True)):
        sources = ("x_t", "h_{t-1}") if below is None else map(str, below)
        found += [(source, str(node), ":".join(pair)) for source in sources]
    new, merged = genotype["cell"]
    injected = ("c_{t-1}", str(merged), "inject " + ":".join(genotype["inject"]))
    return [*found, injected, (str(new), "c_t", "before activation"), (str(len(pairs) - 1), "h_t", "output")]


class RnnNasRlFormat(OneText):
    """``add:tanh elem_mult:relu elem_mult:sigmoid inject=add:relu cell=1,0``."""

    family: ClassVar = "rnn_nas_rl"
    marks: ClassVar[tuple[str, ...]] = ()
    check = staticmethod(check)
    parse = staticmethod(parse)
    notation = staticmethod(notation)

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        return {"cell": cell_edges(genotype)}

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        """Return how many nodes multiply, and how many apply the identity."""
        combinations, activations = zip(*genotype["nodes"], strict=True)
        return {"products": combinations.count("elem_mult"), "identities": activations.count("identity")}
