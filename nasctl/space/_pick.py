"""The list of a cell as published texts write it: [operation, state], some with a weight, some in a list a node."""

from __future__ import annotations

from typing import Any

from nasctl.core import Remark
from nasctl.errors import RequestError
from nasctl.space import _literal

WEIGHED = "weights after operation and state were dropped"


def picks_of(name: str, content: Any, each: int, remark: Remark) -> list[list[str | int]]:
    """Return [operation, state] pairs, ``each`` for a node; remark on weights that were dropped."""
    if not isinstance(content, list):
        raise _refusal(name, content)
    picks = [pick for node, item in enumerate(content, start=2) for pick in _of_node(name, node, item, each)]
    if len({len(pick) for pick in picks}) > 1:
        raise RequestError(f"genotype text: {name} gives a weight for some operations only; give all or none")
    if picks and len(picks[0]) == 3:
        remark(WEIGHED)
    return [pick[:2] for pick in picks]


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
    """Return whether ``item`` is [operation, state] or [operation, state, weight]; a weight is no integer.

    A third integer would say something else: other codes write operation, node and state.
    """
    kinds = [type(part) for part in item] if isinstance(item, list) else []
    return kinds in ([str, int], [str, int, float])


def _refusal(name: str, item: Any) -> RequestError:
    return RequestError(
        f"genotype text: {_literal.shown(repr(item))} where {name}=[('operation', state), ...] is expected; correct "
        "the text"
    )
