"""The DARTS cell space: a normal and a reduction cell, each node the sum of two operations on earlier states.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 2.1 and 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import combinations

from pydantic import PositiveInt
from torch import Tensor

from nasctl import task_kinds
from nasctl.core import Architecture, Decision, Genotype, RelaxedChoice, Task
from nasctl.genotype_format.darts import KINDS, PICKS, DartsFormat
from nasctl.space import _chain, _count
from nasctl.space._cell.choices import check_choices
from nasctl.space._cell.operations import OPERATIONS
from nasctl.space._forms import resize
from nasctl.space._shared import FixedWalk, MetaCosts
from nasctl.space.darts.costs import bare_genotype, network_cost, operation_cost
from nasctl.space.darts.network import Form, Network, check_map, wants_auxiliary
from nasctl.space.darts.supernet import NONE, DartsSupernet, edge_name
from nasctl.task_kinds import IMAGES


class Darts(FixedWalk, MetaCosts):
    """Cells of ``nodes`` nodes; a node takes two different earlier states and an operation for each.

    Decisions are, per cell type and node, an input *pair* and two operations, so that a uniform walk is
    uniform over cells. Relaxed choices are the edges. ``operations`` starts with ``none``, which they have
    and decisions lack.
    """

    format = DartsFormat()
    additive = _count.COUNTED

    def __init__(self, task: Task, *, nodes: PositiveInt, operations: list[str], search: Form, final: Form) -> None:
        task_kinds.check(task, (IMAGES,), "space=darts builds image classifiers", " or a space for that task")
        check_choices("space.operations", operations, OPERATIONS, "operations", after_none=True)
        for form in (search, final):
            check_map(task, form)
            wants_auxiliary(task, form)
        self.task, self.nodes, self.operations = task, nodes, tuple(operations)
        self.forms = {"search": search, "final": final}
        self.decisions = tuple(d for kind in KINDS for i in range(nodes) for d in self._node_decisions(kind, i))
        self.relaxed_choices = tuple(
            RelaxedChoice(f"{kind}/{edge_name(source, node)}", self.operations)
            for kind in KINDS
            for node in range(nodes)
            for source in range(node + 2)
        )
        self.num_operations = len(self._choices)

    def _node_decisions(self, kind: str, node: int) -> list[Decision]:
        pairs = tuple(f"{a}+{b}" for a, b in _pairs(node))
        names = (f"{kind}/{node + 2}/inputs", f"{kind}/{node + 2}/first", f"{kind}/{node + 2}/second")
        kinds = (f"inputs of node {node + 2}", "operation", "operation")
        options = (pairs, self._choices, self._choices)
        return [Decision(*parts) for parts in zip(names, kinds, options, strict=True)]

    @cached_property
    def _choices(self) -> tuple[str, ...]:
        return tuple(name for name in self.operations if name != "none")

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
        """Return (node, source, option of the relaxed choice) of each chosen operation, per cell type."""
        cells: list[list[tuple[int, int, int]]] = []
        for start in (0, len(arch) // 2):
            cell: list[tuple[int, int, int]] = []
            for node in range(self.nodes):
                pair, *ops = arch[start + 3 * node : start + 3 * node + 3]
                sources = _pairs(node)[pair]
                cell += [(node, source, op + 1) for source, op in zip(sources, ops, strict=True)]
            cells.append(cell)
        return cells

    def relaxed_path(self, arch: Architecture) -> list[int]:
        """Return the option of each relaxed choice that runs for ``arch``: its operation, or ``none``."""
        options = [NONE] * len(self.relaxed_choices)
        for offset, picks in zip((0, len(self.relaxed_choices) // 2), self._picks(arch), strict=True):
            for node, source, option in picks:
                options[offset + _edge_index(node, source)] = option
        return options

    def discretize(self, weights: Sequence[Tensor]) -> Architecture:
        """Keep each node's two strongest edges, on each its best operation, ``none`` apart (section 2.4)."""
        values = [row.detach().tolist() for row in weights]
        arch: list[int] = []
        for offset in (0, len(values) // 2):
            for node in range(self.nodes):
                edges = [values[offset + _edge_index(node, s)][1:] for s in range(node + 2)]
                strongest = sorted(range(node + 2), key=lambda s, edges=edges: -max(edges[s]))[:PICKS]  # type: ignore[misc]
                pair = tuple(sorted(strongest))
                arch += [_pairs(node).index(pair)] + [edges[s].index(max(edges[s])) for s in pair]
        return tuple(arch)

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype, self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> DartsSupernet:
        form = resize(self.forms["search"], size)
        return DartsSupernet(self.operations, self.nodes, self.task, form, self.relaxed_path)

    def relaxed_chain(self, name: str) -> _chain.Tables:
        """Return what neighbouring relaxed choices cost together, with which a mixture has an expected cost.

        A node keeps two of its edges, so an operation counts on each edge for that share; for even mixtures the
        expected cost is the mean over all cells. What is derived never takes ``none``, so weight on it saves
        nothing: it counts as the mean of the others.
        """
        task, form = self.task, self.forms["final"]
        fixed = network_cost(bare_genotype(self.nodes), task, form)[name]
        costs = []
        for kind, node, source in ((k, n, s) for k in KINDS for n in range(self.nodes) for s in range(n + 2)):
            taken = [operation_cost(o, kind, source, self.nodes, task, form)[name] for o in self._choices]
            costs.append([PICKS / (node + 2) * cost for cost in (sum(taken) / len(taken), *taken)])
        options = range(len(self.operations))
        return _chain.tables(
            options, len(costs), lambda a: fixed + costs[0][a], lambda i, a, b: costs[i + 1][b], lambda b: 0
        )

    def costs(self, genotype: Genotype) -> Mapping[str, int]:
        return network_cost(genotype, self.task, self.forms["final"])


def _pairs(node: int) -> list[tuple[int, ...]]:
    return list(combinations(range(node + 2), PICKS))


def _edge_index(node: int, source: int) -> int:
    return node * (node + 3) // 2 + source  # nodes 0, 1, ... have 2, 3, ... edges
