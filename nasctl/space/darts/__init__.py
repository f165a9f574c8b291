"""The DARTS cell space: a normal and a reduction cell, each node the sum of two operations on earlier states.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 2.1 and 3.1.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache, partial
from itertools import combinations
from typing import Any

from pydantic import PositiveInt
from torch import Tensor

from nasctl.core import Architecture, Decision, Genotype, RequestError, Row, Task, unknown
from nasctl.space import _count
from nasctl.space._forms import resize
from nasctl.space.darts.network import Form, Network
from nasctl.space.darts.operations import OPERATIONS
from nasctl.space.darts.supernet import NONE, Supernet, edge_name

KINDS = ("normal", "reduce")
PICKS = 2  # operations a node sums


class Darts:
    """Cells of ``nodes`` nodes; a node takes two different earlier states and an operation for each.

    Decisions are, per cell type and node, an input *pair* and two operations, so that a uniform walk is uniform
    over cells. Rows are the edges. ``operations`` starts with ``none``, which rows have and decisions lack.
    """

    family = "darts"

    def __init__(self, task: Task, *, nodes: PositiveInt, operations: list[str], search: Form, final: Form) -> None:
        if task.kind != "image_classification":
            raise RequestError(
                f"space=darts builds image classifiers, but the data set's task is {task.kind}; "
                "choose a data set of images or a space for that task"
            )
        check_operations(operations)
        self.task, self.nodes, self.operations = task, nodes, tuple(operations)
        self.forms = {"search": search, "final": final}
        self.decisions = tuple(d for kind in KINDS for i in range(nodes) for d in self._node_decisions(kind, i))
        self.rows = tuple(
            Row(f"{kind}/{edge_name(source, node)}", self.operations)
            for kind in KINDS
            for node in range(nodes)
            for source in range(node + 2)
        )
        self.size = math.prod(len(d.options) for d in self.decisions)
        self.num_operations = len(self._choices)
        self._cost = lru_cache(maxsize=4096)(self._count)

    def _node_decisions(self, kind: str, node: int) -> list[Decision]:
        pairs = tuple(f"{a}+{b}" for a, b in _pairs(node))
        names = (f"{kind}/{node + 2}/inputs", f"{kind}/{node + 2}/first", f"{kind}/{node + 2}/second")
        return [Decision(n, options) for n, options in zip(names, (pairs, self._choices, self._choices), strict=True)]

    @cached_property
    def _choices(self) -> tuple[str, ...]:
        return tuple(name for name in self.operations if name != "none")

    def legal(self, prefix: Sequence[int]) -> Sequence[int]:
        return range(len(self.decisions[len(prefix)].options)) if len(prefix) < len(self.decisions) else ()

    def genotype(self, arch: Architecture) -> Genotype:
        return {
            key: value
            for kind, picks in zip(KINDS, self._picks(arch), strict=True)
            for key, value in (
                (kind, [[self.operations[op], source] for _, source, op in picks]),
                (f"{kind}_concat", list(range(2, self.nodes + 2))),
            )
        }

    def _picks(self, arch: Architecture) -> list[list[tuple[int, int, int]]]:
        """Return (node, source, option of the row) of each picked operation, per cell type."""
        cells: list[list[tuple[int, int, int]]] = []
        for start in (0, len(arch) // 2):
            cell: list[tuple[int, int, int]] = []
            for node in range(self.nodes):
                pair, *ops = arch[start + 3 * node : start + 3 * node + 3]
                sources = _pairs(node)[pair]
                cell += [(node, source, op + 1) for source, op in zip(sources, ops, strict=True)]
            cells.append(cell)
        return cells

    def picked(self, arch: Architecture) -> list[int]:
        """Return the option that each row runs for ``arch``: its operation, or ``none``."""
        options = [NONE] * len(self.rows)
        for offset, picks in zip((0, len(self.rows) // 2), self._picks(arch), strict=True):
            for node, source, option in picks:
                options[offset + _edge_index(node, source)] = option
        return options

    def discretize(self, weights: Sequence[Tensor]) -> Architecture:
        """Keep the two strongest edges of each node and on each its best operation, ``none`` apart (section 2.4)."""
        values = [row.detach().tolist() for row in weights]
        arch: list[int] = []
        for offset in (0, len(values) // 2):
            for node in range(self.nodes):
                edges = [values[offset + _edge_index(node, s)][1:] for s in range(node + 2)]
                strongest = sorted(range(node + 2), key=lambda s, edges=edges: -max(edges[s]))[:PICKS]  # type: ignore[misc]
                pair = tuple(sorted(strongest))
                arch += [_pairs(node).index(pair)] + [edges[s].index(max(edges[s])) for s in pair]
        return tuple(arch)

    def parse(self, text: str) -> Genotype:
        """Read ``Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=..., ...)``."""
        genotype: dict[str, Any] = {}
        for kind in KINDS:
            cell = re.search(rf"\b{kind}\s*=\s*\[(.*?)\]", text, re.DOTALL)
            concat = re.search(rf"\b{kind}_concat\s*=\s*(range\((\d+),\s*(\d+)\)|\[([\d,\s]*)\])", text)
            if cell is None or concat is None:
                raise RequestError(f"genotype text: no {kind}=[...] with {kind}_concat=...; write Genotype(normal=[('op', input), ...], ...)")
            genotype[kind] = [[n, int(i)] for n, i in re.findall(r"\(\s*['\"](\w+)['\"]\s*,\s*(\d+)\s*\)", cell[1])]
            first, last, listed = concat[2], concat[3], concat[4]
            genotype[f"{kind}_concat"] = (
                list(range(int(first), int(last))) if first else [int(i) for i in re.findall(r"\d+", listed)]
            )
        return self.check(genotype)

    def notation(self, genotype: Genotype) -> str:
        parts = [
            part
            for kind in KINDS
            for part in (
                f"{kind}={[(name, source) for name, source in genotype[kind]]}",
                f"{kind}_concat={list(genotype[f'{kind}_concat'])}",
            )
        ]
        return f"Genotype({', '.join(parts)})"

    def check(self, genotype: Genotype) -> Genotype:
        for kind in KINDS:
            _check_cell(kind, genotype)
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {"skip_connections": sum(name == "skip_connect" for kind in KINDS for name, _ in genotype[kind])}

    def graph(self, genotype: Genotype) -> Mapping[str, Sequence[tuple[str, str, str]]]:
        return {kind: _edges(genotype[kind], genotype[f"{kind}_concat"]) for kind in KINDS}

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype, self.task, resize(self.forms[form], size))

    def supernet(self) -> Supernet:
        return Supernet(self.operations, self.nodes, self.task, self.forms["search"], self.picked)

    def cost(self, genotype: Genotype, name: str) -> float:
        return self._cost(json.dumps(genotype))[name]

    def _count(self, genotype: str) -> dict[str, int]:
        form = resize(self.forms["final"], {"auxiliary": False})
        return _count.cost(partial(Network, json.loads(genotype), self.task, form), self.task.input_shape)


def _edges(picks: Sequence[tuple[str, int]], concat: Sequence[int]) -> list[tuple[str, str, str]]:
    names = ["c_{k-2}", "c_{k-1}", *(str(i) for i in range(2, len(picks) // PICKS + 2))]
    operations = [(names[source], names[k // PICKS + 2], name) for k, (name, source) in enumerate(picks)]
    return operations + [(names[i], "c_{k}", "concat") for i in concat]


def _pairs(node: int) -> list[tuple[int, ...]]:
    return list(combinations(range(node + 2), PICKS))


def _edge_index(node: int, source: int) -> int:
    return node * (node + 3) // 2 + source  # nodes 0, 1, ... have 2, 3, ... edges


def check_operations(operations: Sequence[str]) -> None:
    """Raise `RequestError` for an operation that has no network, or a list that does not start with ``none``."""
    if not operations or operations[0] != "none":
        raise RequestError(f"space.operations: {list(operations)} must start with none; put it first")
    for name in operations[1:]:
        if name not in OPERATIONS:
            raise unknown("space.operations", name, OPERATIONS)


def _check_cell(kind: str, genotype: Genotype) -> None:
    picks, concat = genotype.get(kind), genotype.get(f"{kind}_concat")
    if not picks or not concat or len(picks) % PICKS:
        raise RequestError(f"genotype: {kind} needs two operations a node and {kind}_concat a list of states; correct the text")
    for k, (name, source) in enumerate(picks):
        if name not in OPERATIONS:
            raise unknown(f"genotype: {kind} operation {k}", name, OPERATIONS)
        if not 0 <= source < k // PICKS + 2:
            raise RequestError(
                f"genotype: {kind} operation {k} reads state {source}, but node {k // PICKS + 2} can only read states "
                f"0 to {k // PICKS + 1}; correct the input"
            )
    states = len(picks) // PICKS + 2
    if any(not 0 <= i < states for i in concat):
        raise RequestError(f"genotype: {kind}_concat {list(concat)} names a state outside 0 to {states - 1}; correct the list")
