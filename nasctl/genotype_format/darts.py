"""The genotype of the DARTS family: its rules, its text and its edges.

Per cell type it lists [operation, state] pairs, two a node, and in ``<kind>_concat`` the nodes that leave
the cell. States 0 and 1 are the outputs of the two cells before, the first node is state 2. The text is that
of the code of Liu et al. 2019, https://arxiv.org/abs/1806.09055.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import StrictInt, StrictStr, TypeAdapter, ValidationError

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError
from nasctl.genotype_format import _literal
from nasctl.genotype_format._pairs import PICKS, cell_edges, check_pick, ordered, picks_of, skips

KINDS = ("normal", "reduce")
FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
OPERATIONS = (
    *("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7"),
    *("dil_conv_3x3", "dil_conv_5x5", "conv_7x1_1x7", "conv_3x3", "none", "noise"),
)
EMPTY = ("connectN", "connects")  # fields that published texts have beside them, always None

_CELL = TypeAdapter(tuple[list[tuple[StrictStr, StrictInt]], list[StrictInt]])


def check(genotype: Genotype) -> Genotype:
    """Return ``genotype`` if a network can be built from it, or raise `RequestError`."""
    for kind in KINDS:
        picks, concat = _cell(kind, genotype)
        for k, (name, source) in enumerate(picks):
            check_pick(f"genotype: {kind} operation {k}", name, source, k // PICKS + 2, OPERATIONS)
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


class DartsFormat:
    """``Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=[2, 3, 4, 5], reduce=..., reduce_concat=...)``."""

    family: ClassVar = "darts"
    marks: ClassVar = ("Genotype",)
    check = staticmethod(check)
    parse = staticmethod(parse)
    canonical = staticmethod(canonical)
    notation = staticmethod(notation)

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        return {kind: cell_edges(genotype[kind], genotype[f"{kind}_concat"]) for kind in KINDS}

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {"skip_connections": skips(genotype[kind] for kind in KINDS)}
