"""The genotype of the DARTS family of recurrent cells: its rules, its texts and its edges.

``recurrent`` lists an [activation, state] pair for each node, ``concat`` the nodes whose mean leaves the cell.
State 0 is made of the input and the last output, the first node is state 1. Texts are that of the code of Liu et
al. 2019, https://arxiv.org/abs/1806.09055, and the numbers of the released code of Pham et al. 2018,
https://arxiv.org/abs/1802.03268: state and activation of each node in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import StrictInt, StrictStr, TypeAdapter, ValidationError

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError, unknown
from nasctl.genotype_format import _literal, _numbers
from nasctl.genotype_format._pairs import picks_of

FIELDS = ("recurrent", "concat")
ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")  # as the released code of ENAS numbers them
FIRST = "tanh"  # of the state that is made of the input and the last output

_CELL = TypeAdapter(tuple[list[tuple[StrictStr, StrictInt]], list[StrictInt]])


def check(genotype: Genotype) -> Genotype:
    """Return ``genotype`` if a network can be built from it, or raise `RequestError`."""
    picks, concat = _cell(genotype)
    for node, (name, source) in enumerate(picks, start=1):
        if name not in ACTIVATIONS:
            raise unknown(f"genotype: node {node}", name, ACTIVATIONS)
        if not 0 <= source < node:
            raise RequestError(
                f"genotype: node {node} reads state {source}, but can only read states 0 to {node - 1}; "
                "correct the input"
            )
    if not concat or len(set(concat)) < len(concat) or not set(concat) <= set(range(1, len(picks) + 1)):
        raise RequestError(
            f"genotype: concat={_literal.shown(concat)} must name different nodes from 1 to {len(picks)}; correct the "
            "list"
        )
    return genotype


def _cell(genotype: Genotype) -> tuple[list[tuple[str, int]], list[int]]:
    try:
        picks, concat = _CELL.validate_python((genotype["recurrent"], genotype["concat"]))
    except (KeyError, TypeError, ValidationError) as error:
        raise RequestError(
            "genotype: recurrent must list [activation, state] pairs and concat the nodes that leave the cell, "
            f"which {_literal.shown(genotype, _literal.WHOLE)} does not; correct it"
        ) from error
    if not picks:
        raise RequestError("genotype: recurrent lists no node; add [activation, state] pairs")
    return picks, concat


def parse(text: str, remark: Remark = ignore) -> Genotype:
    """Read ``Genotype(recurrent=[('relu', 0), ...], concat=range(1, 9))``, or the numbers of ENAS, ``0 2 1 0 ...``."""
    if _numbers.is_row(text):
        return check(_numbered(_numbers.read(text)))
    found = _literal.fields(text, "Genotype", FIELDS)
    return check(found | {"recurrent": picks_of("recurrent", found["recurrent"], 1, remark)})


def canonical(genotype: Genotype) -> Genotype:
    """Return the genotype of the same cell whose mean is of nodes in order."""
    return {"recurrent": [list(pick) for pick in genotype["recurrent"]], "concat": sorted(genotype["concat"])}


def _numbered(numbers: Sequence[int]) -> Genotype:
    if len(numbers) % 2 or any(number >= len(ACTIVATIONS) for number in numbers[1::2]):
        raise RequestError(
            f"genotype text: {_literal.shown(' '.join(map(str, numbers)))} must hold a state and an activation from 0 "
            f"to {len(ACTIVATIONS) - 1} for each node; correct the numbers"
        )
    picks = [[ACTIVATIONS[kind], source] for source, kind in zip(numbers[::2], numbers[1::2], strict=True)]
    return {"recurrent": picks, "concat": list(range(1, len(picks) + 1))}


def notation(genotype: Genotype) -> str:
    """Return the first of the texts that `parse` reads."""
    picks = [(name, source) for name, source in genotype["recurrent"]]
    return f"Genotype(recurrent={picks}, concat={list(genotype['concat'])})"


def cell_edges(genotype: Genotype) -> list[Edge]:
    """Return the edges of a cell."""
    first = [("x_t", "0", FIRST), ("h_{t-1}", "0", FIRST)]
    nodes = [(str(source), str(node), name) for node, (name, source) in enumerate(genotype["recurrent"], start=1)]
    return [*first, *nodes, *((str(node), "h_t", "mean") for node in genotype["concat"])]


def depth(genotype: Genotype) -> int:
    """Return the number of nodes on the longest way through the cell."""
    depths = [0]
    for _, source in genotype["recurrent"]:
        depths.append(depths[source] + 1)
    return max(depths)


def loose_ends(sources: Sequence[int]) -> list[int]:
    """Return the nodes that no other node reads; ``sources`` are the states that nodes 1, 2, ... read."""
    return [node for node in range(1, len(sources) + 1) if node not in sources]


class RnnDartsFormat:
    """``Genotype(recurrent=[('relu', 0), ...], concat=[1, 2, ...])``."""

    family: ClassVar = "rnn_darts"
    marks: ClassVar = ("Genotype", "[")
    check = staticmethod(check)
    parse = staticmethod(parse)
    canonical = staticmethod(canonical)
    notation = staticmethod(notation)

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        return {"cell": cell_edges(genotype)}

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        """Return how many nodes apply the identity, and how many nodes the longest path through the cell passes."""
        identities = sum(name == "identity" for name, _ in genotype["recurrent"])
        return {"identities": identities, "depth": depth(genotype)}
