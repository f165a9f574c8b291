"""Cells whose nodes sum two operations on earlier states: lists of [operation, state], two a node.

States 0 and 1 are the outputs of the two cells before, the first node is state 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nasctl.core import Edge, Remark
from nasctl.errors import RequestError, unknown
from nasctl.genotype_format import _literal

PICKS = 2  # operations a node sums
Picks = Sequence[tuple[str, int]]
WEIGHED = "weights after operation and state were dropped"


def check_pick(place: str, name: str, source: int, node: int, operations: Sequence[str]) -> None:
    """Raise `RequestError` unless a node may apply the operation to the state ``source``."""
    if name not in operations:
        raise unknown(place, name, operations)
    if not 0 <= source < node:
        raise RequestError(
            f"{place} reads state {source}, but node {node} can only read states 0 to {node - 1}; correct the input"
        )


def ordered(picks: Picks) -> list[list[str | int]]:
    """Return the pairs with those of each node by state, then by operation: a sum has no order."""
    nodes = [sorted(picks[k : k + PICKS], key=lambda pick: (pick[1], pick[0])) for k in range(0, len(picks), PICKS)]
    return [[name, source] for node in nodes for name, source in node]


def cell_edges(picks: Picks, concat: Sequence[int]) -> list[Edge]:
    """Return the edges of a cell whose states ``concat`` leave it."""
    names = ["c_{k-2}", "c_{k-1}", *(str(i) for i in range(2, len(picks) // PICKS + 2))]
    operations = [(names[source], names[k // PICKS + 2], name) for k, (name, source) in enumerate(picks)]
    return operations + [(names[i], "c_{k}", "concat") for i in concat]


def skips(cells: Iterable[Picks]) -> int:
    """Return the number of skip connections."""
    return sum(name == "skip_connect" for picks in cells for name, _ in picks)


def picks_of(name: str, content: Any, each: int, remark: Remark) -> list[list[str | int]]:
    """Return [operation, state] pairs, ``each`` for a node; remark on weights that were dropped."""
    if not isinstance(content, list):
        raise _refusal(name, content)
    picks = [pick for node, item in enumerate(content, start=2) for pick in _of_node(name, node, item, each)]
    if len({tuple(map(type, pick[2:])) for pick in picks}) > 1:
        raise RequestError(f"genotype text: {name} gives a weight for some operations only; give all or none")
    if picks and type(picks[0][-1]) is int and len(picks[0]) == 3:
        return _with_nodes(name, picks, each)
    if picks and len(picks[0]) == 3:
        remark(WEIGHED)
    return [pick[:2] for pick in picks]


def _with_nodes(name: str, picks: Sequence[Sequence[Any]], each: int) -> list[list[str | int]]:
    """Return the pairs of [operation, node, state] triples, as FairDARTS writes them, whose nodes stand in order."""
    nodes = [node for _, node, _ in picks]
    if nodes != [2 + k // each for k in range(len(picks))]:
        raise RequestError(
            f"genotype text: {name} lists operations for nodes {', '.join(map(str, nodes))}, read as (operation, "
            f"node, state), but each node from 2 on sums {each} here, in order; such a cell cannot be built"
        )
    return [[operation, state] for operation, _, state in picks]


def _of_node(name: str, node: int, item: Any, each: int) -> list[list[Any]]:
    if _is_pick(item):
        return [item]
    if isinstance(item, list) and item and all(map(_is_pick, item)):
        if len(item) == each:
            return item
        raise RequestError(
            f"genotype text: {name} lists {len(item)} operations for node {node}, but each node sums {each}; add or "
            "remove some"
        )
    raise _refusal(name, item)


def _is_pick(item: Any) -> bool:
    """Return whether ``item`` is [operation, state], [operation, state, weight] or [operation, node, state]."""
    kinds = [type(part) for part in item] if isinstance(item, list) else []
    return kinds in ([str, int], [str, int, float], [str, int, int])


def _refusal(name: str, item: Any) -> RequestError:
    return RequestError(
        f"genotype text: {_literal.shown(repr(item))} where {name}=[('operation', state), ...] is expected; correct "
        "the text"
    )
