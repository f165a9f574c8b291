"""The genotype of the DARTS family: its rules, its text and its edges.

Per cell type it lists [operation, state] pairs, two a node, and in ``<kind>_concat`` the nodes that leave
the cell. States 0 and 1 are the outputs of the two cells before, the first node is state 2. The text is that
of the code of Liu et al. 2019, https://arxiv.org/abs/1806.09055.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import StrictInt, StrictStr, TypeAdapter, ValidationError

from nasctl.core import Genotype, Remark, ignore
from nasctl.errors import RequestError, unknown
from nasctl.space import _literal
from nasctl.space._pick import picks_of
from nasctl.space.darts.operations import BUILDABLE

KINDS = ("normal", "reduce")
PICKS = 2  # operations a node sums
FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
EMPTY = ("connectN", "connects")  # fields that published texts have beside them, always None

_CELL = TypeAdapter(tuple[list[tuple[StrictStr, StrictInt]], list[StrictInt]])


def check(genotype: Genotype) -> Genotype:
    """Return ``genotype`` if a network can be built from it, or raise `RequestError`."""
    for kind in KINDS:
        picks, concat = _cell(kind, genotype)
        for k, (name, source) in enumerate(picks):
            _check_pick(f"genotype: {kind} operation {k}", name, source, k // PICKS + 2)
        _check_concat(f"{kind}_concat", concat, len(picks) // PICKS + 1)
    return genotype


def _check_concat(name: str, concat: Sequence[int], last: int) -> None:
    if not concat or not set(concat) <= set(range(2, last + 1)):
        raise RequestError(
            f"genotype: {name}={_literal.shown(concat)} must name nodes from 2 to {last}; correct the list"
        )
    if len(set(concat)) < len(concat):
        raise RequestError(
            f"genotype: {name}={_literal.shown(concat)} must name different nodes from 2 to {last}; correct the list"
        )
    if last > 2 and last not in concat and (last - 1) * PICKS == sum(range(2, max(concat) + 1)):
        raise RequestError(
            f"genotype: {(last - 1) * PICKS} operations are one for each edge of nodes 2 to {max(concat)}, but a node "
            f"sums {PICKS} here; leave out those that are none"
        )


def _cell(kind: str, genotype: Genotype) -> tuple[list[tuple[str, int]], list[int]]:
    try:
        picks, concat = _CELL.validate_python((genotype[kind], genotype[f"{kind}_concat"]))
    except (KeyError, TypeError, ValidationError) as error:
        raise RequestError(
            f"genotype: {kind} must list [operation, state] pairs and {kind}_concat the nodes that leave the "
            f"cell, which {_literal.shown(genotype, _literal.WHOLE)} does not; correct it"
        ) from error
    if not picks or len(picks) % PICKS:
        raise RequestError(
            f"genotype: {kind} lists {len(picks)} operations, but each node sums {PICKS}; add or remove some"
        )
    return picks, concat


def _check_pick(place: str, name: str, source: int, node: int) -> None:
    if name not in BUILDABLE:
        raise unknown(place, name, BUILDABLE)
    if not 0 <= source < node:
        raise RequestError(
            f"{place} reads state {source}, but node {node} can only read states 0 to {node - 1}; correct the input"
        )


def parse(text: str, remark: Remark = ignore) -> Genotype:
    """Read ``Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=..., ...)``.

    The list of a cell may also hold a pair of operations for each node, and a weight after each state.
    """
    found = _literal.fields(text, "Genotype", FIELDS, EMPTY)
    return check({name: _field(name, content, remark) for name, content in found.items()})


def _field(name: str, content: Any, remark: Remark) -> Any:
    return content if name.endswith("_concat") else picks_of(name, content, PICKS, remark)


def canonical(genotype: Genotype) -> Genotype:
    """Return the genotype of the same network whose nodes list their inputs, and cells their nodes, in order."""
    cells = {kind: ordered(genotype[kind]) for kind in KINDS}
    concat = {kind: sorted(genotype[f"{kind}_concat"]) for kind in KINDS}
    return {key: value for kind in KINDS for key, value in ((kind, cells[kind]), (f"{kind}_concat", concat[kind]))}


def ordered(picks: Sequence[tuple[str, int]]) -> list[list[str | int]]:
    """Return [operation, state] pairs with those of each node by state, then by operation: a sum has no order."""
    nodes = [sorted(picks[k : k + PICKS], key=lambda pick: (pick[1], pick[0])) for k in range(0, len(picks), PICKS)]
    return [[name, source] for node in nodes for name, source in node]


def notation(genotype: Genotype) -> str:
    """Return the text that `parse` reads."""
    parts = [
        part
        for kind in KINDS
        for part in (
            f"{kind}={[(name, source) for name, source in genotype[kind]]}",
            f"{kind}_concat={list(genotype[f'{kind}_concat'])}",
        )
    ]
    return f"Genotype({', '.join(parts)})"


def edges(picks: Sequence[tuple[str, int]], concat: Sequence[int]) -> list[tuple[str, str, str]]:
    """Return (from, to, operation) of each edge of a cell."""
    names = ["c_{k-2}", "c_{k-1}", *(str(i) for i in range(2, len(picks) // PICKS + 2))]
    operations = [(names[source], names[k // PICKS + 2], name) for k, (name, source) in enumerate(picks)]
    return operations + [(names[i], "c_{k}", "concat") for i in concat]
