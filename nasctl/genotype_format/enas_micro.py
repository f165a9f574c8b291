"""The genotype of the micro space: its rules, its text and its edges.

Per cell type it lists [operation, state] pairs, two a node. States 0 and 1 are the cell's inputs, the first node is
state 2; the states that nothing reads leave the cell. The text is that of the code released with Pham et al. 2018,
https://arxiv.org/abs/1802.03268: the numbers of the normal cell, then those of the reduction cell, for each node
state, operation, state, operation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import StrictInt, StrictStr, TypeAdapter, ValidationError

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError
from nasctl.genotype_format import _literal, _numbers
from nasctl.genotype_format._pairs import PICKS, Picks, cell_edges, check_pick, ordered, skips

KINDS = ("normal", "reduce")
OPERATIONS = ("sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3", "skip_connect")
"""In the order of the numbers in the text."""

_CELL = TypeAdapter(list[tuple[StrictStr, StrictInt]])


def check(genotype: Genotype) -> Genotype:
    """Return ``genotype`` if a network can be built from it, or raise `RequestError`."""
    for kind in KINDS:
        picks = _cell(kind, genotype)
        if not picks or len(picks) % PICKS:
            raise RequestError(
                f"genotype: {kind} lists {len(picks)} operations, but each node sums {PICKS}; add or remove some"
            )
        for k, (name, source) in enumerate(picks):
            check_pick(f"genotype: {kind} operation {k}", name, source, k // PICKS + 2, OPERATIONS)
    return genotype


def _cell(kind: str, genotype: Genotype) -> list[tuple[str, int]]:
    try:
        return _CELL.validate_python(genotype[kind])
    except (KeyError, TypeError, ValidationError) as error:
        raise RequestError(
            f"genotype: {kind} must list [operation, state] pairs, which "
            f"{_literal.shown(genotype, _literal.WHOLE)} does not; correct it"
        ) from error


def parse(text: str, remark: Remark = ignore) -> Genotype:
    """Read ``0 2 0 0 ... 1 0 1 0 ...``: state and operation, twice a node, first all of the normal cell.

    Brackets may be around all of it or around the numbers of each cell, as in the logs of that code.
    """
    cells = _cells(_numbers.rows(text))
    return check({kind: _parse_cell(kind, cell) for kind, cell in zip(KINDS, cells, strict=True)})


def _cells(rows: Sequence[Sequence[int]]) -> list[Sequence[int]]:
    """Return the numbers of the normal cell and those of the reduction cell."""
    numbers = [number for row in rows for number in row]
    half, rest = divmod(len(numbers), len(KINDS))
    if not numbers or rest or half % (2 * PICKS) or len(rows) > len(KINDS) or len(rows[0]) not in (half, 2 * half):
        given = f"{len(numbers)} numbers" if len(rows) < 2 else f"rows of {', '.join(str(len(row)) for row in rows)}"
        raise RequestError(
            f"genotype text: {given} are not two cells of as many nodes with four numbers each; add or remove some"
        )
    return [numbers[:half], numbers[half:]]


def canonical(genotype: Genotype) -> Genotype:
    """Return the genotype of the same network whose nodes list their inputs in order: a sum has none."""
    return {kind: ordered(genotype[kind]) for kind in KINDS}


def _parse_cell(kind: str, numbers: Sequence[int]) -> list[list[str | int]]:
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return [
        [_numbers.name(f"{kind} operation {k}", operation, OPERATIONS), source]
        for k, (source, operation) in enumerate(pairs)
    ]


def notation(genotype: Genotype) -> str:
    """Return the text that `parse` reads."""
    return " ".join(f"{source} {OPERATIONS.index(name)}" for kind in KINDS for name, source in genotype[kind])


def loose_ends(picks: Picks) -> list[int]:
    """Return the states that no node reads, in order."""
    return sorted(set(range(len(picks) // PICKS + 2)) - {source for _, source in picks})


class EnasMicroFormat:
    """``0 2 0 0 ... 1 0 1 0 ...``: state and operation, twice a node, first all of the normal cell."""

    family: ClassVar = "enas_micro"
    marks: ClassVar = ("[",)
    check = staticmethod(check)
    parse = staticmethod(parse)
    canonical = staticmethod(canonical)
    notation = staticmethod(notation)

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        return {kind: cell_edges(genotype[kind], loose_ends(genotype[kind])) for kind in KINDS}

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {"skip_connections": skips(genotype[kind] for kind in KINDS)}
