"""The genotype of the DARTS family: its rules, its text and its edges.

Per cell type it lists [operation, state] pairs, two a node, and in ``<kind>_concat`` the nodes that leave
the cell. States 0 and 1 are the outputs of the two cells before, the first node is state 2. The text is that
of the code of Liu et al. 2019, https://arxiv.org/abs/1806.09055.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import StrictInt, StrictStr, TypeAdapter, ValidationError

from nasctl.core import Genotype, RequestError, unknown
from nasctl.space.darts.operations import OPERATIONS

KINDS = ("normal", "reduce")
PICKS = 2  # operations a node sums

_CELL = TypeAdapter(tuple[list[tuple[StrictStr, StrictInt]], list[StrictInt]])
_PICK = re.compile(r"\(\s*['\"](\w+)['\"]\s*,\s*(\d+)\s*\)")


def check(genotype: Genotype) -> Genotype:
    """Return ``genotype`` if a network can be built from it, or raise `RequestError`."""
    for kind in KINDS:
        picks, concat = _cell(kind, genotype)
        for k, (name, source) in enumerate(picks):
            _check_pick(f"genotype: {kind} operation {k}", name, source, k // PICKS + 2)
        last = len(picks) // PICKS + 1
        if not concat or not set(concat) <= set(range(2, last + 1)):
            raise RequestError(f"genotype: {kind}_concat={concat} must name nodes from 2 to {last}; correct the list")
    return genotype


def _cell(kind: str, genotype: Genotype) -> tuple[list[tuple[str, int]], list[int]]:
    try:
        picks, concat = _CELL.validate_python((genotype[kind], genotype[f"{kind}_concat"]))
    except (KeyError, TypeError, ValidationError) as error:
        raise RequestError(
            f"genotype: {kind} must list [operation, state] pairs and {kind}_concat the nodes that leave the "
            f"cell, which {genotype!r} does not; correct it"
        ) from error
    if not picks or len(picks) % PICKS:
        raise RequestError(
            f"genotype: {kind} lists {len(picks)} operations, but each node sums {PICKS}; add or remove some"
        )
    return picks, concat


def _check_pick(place: str, name: str, source: int, node: int) -> None:
    if name not in OPERATIONS:
        raise unknown(place, name, OPERATIONS)
    if not 0 <= source < node:
        raise RequestError(
            f"{place} reads state {source}, but node {node} can only read states 0 to {node - 1}; correct the input"
        )


def parse(text: str) -> Genotype:
    """Read ``Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=..., ...)``."""
    cells = {kind: _parse_cell(kind, text) for kind in KINDS}
    return check({key: value for cell in cells.values() for key, value in cell.items()})


def _parse_cell(kind: str, text: str) -> dict[str, list[list[str | int]] | list[int]]:
    cell = re.search(rf"\b{kind}\s*=\s*\[(.*?)\]", text, re.DOTALL)
    concat = re.search(rf"\b{kind}_concat\s*=\s*(?:range\((\d+),\s*(\d+)\)|\[([\d,\s]*)\])", text)
    rest = _PICK.sub("", cell[1]).strip(", \n\t") if cell else ""
    if cell is None or concat is None or rest:
        raise RequestError(
            f"genotype text: {rest or 'nothing'!r} where {kind}=[('operation', state), ...] and "
            f"{kind}_concat=[...] are expected; correct the text"
        )
    first, end, listed = concat.groups()
    nodes = list(range(int(first), int(end))) if first else [int(i) for i in re.findall(r"\d+", listed)]
    return {kind: [[name, int(source)] for name, source in _PICK.findall(cell[1])], f"{kind}_concat": nodes}


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
