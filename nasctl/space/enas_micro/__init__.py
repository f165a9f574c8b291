"""The micro space of ENAS: a normal and a reduction cell, each node the sum of two operations on earlier states.

Pham et al. 2018, https://arxiv.org/abs/1802.03268, section 2.4.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import PositiveInt

from nasctl.core import Architecture, Decision, Genotype, Task
from nasctl.errors import RequestError
from nasctl.genotype_format.enas_micro import KINDS, OPERATIONS, PICKS, EnasMicroFormat
from nasctl.space._cell.choices import check_choices
from nasctl.space._forms import resize
from nasctl.space._shared import FixedWalk, MetaCosts
from nasctl.space._task import check_images
from nasctl.space.enas_micro.costs import network_cost
from nasctl.space.enas_micro.network import Form, Network, wants_auxiliary
from nasctl.space.enas_micro.supernet import EnasMicroSupernet

TAKEN = 2 * PICKS  # decisions of a node


class EnasMicro(FixedWalk, MetaCosts):
    """Cells of ``nodes`` nodes; a node picks two earlier states, which may be the same, then an operation for each.

    With five nodes and operations a walk takes 40 decisions of (5^5 * 6!)^4, about 2.6e25 results, all of them
    different texts. The paper counts (5 * 5!)^4, about 1.3e11 (section 2.4): one operation for all nodes of a cell,
    and 5! ways to choose their states. It cannot be relaxed: which states are loose ends cannot be mixed.
    """

    format = EnasMicroFormat()

    def __init__(self, task: Task, *, nodes: PositiveInt, operations: list[str], search: Form, final: Form) -> None:
        check_images(self.format.family, task)
        check_choices("space.operations", operations, OPERATIONS, "ones")
        check_search(search)
        wants_auxiliary(task, final)
        self.task, self.nodes, self.operations = task, nodes, tuple(operations)
        self.forms = {"search": search, "final": final}
        self.decisions = tuple(d for i in range(len(KINDS)) for node in range(nodes) for d in self._node(i, node))
        self.num_operations = len(operations)

    def _node(self, cell: int, node: int) -> list[Decision]:
        """Return the decisions of a node: two states, whose inputs are the nodes' last decisions, two operations."""
        first = TAKEN * (cell * self.nodes + 1) - 1
        inputs = (-2 * cell - 2, -2 * cell - 1, *(first + TAKEN * earlier for earlier in range(node)))
        states, place = tuple(map(str, range(node + 2))), f"{KINDS[cell]}/{node + 2}"
        picks = [Decision(f"{place}/{which}_input", "input", states, inputs=inputs) for which in ("first", "second")]
        return picks + [
            Decision(f"{place}/{which}_operation", "operation", self.operations) for which in ("first", "second")
        ]

    def genotype(self, arch: Architecture) -> Genotype:
        half = TAKEN * self.nodes
        return {kind: self._picks(arch[i * half : (i + 1) * half]) for i, kind in enumerate(KINDS)}

    def _picks(self, taken: Architecture) -> list[list[str | int]]:
        nodes = [taken[k : k + TAKEN] for k in range(0, len(taken), TAKEN)]
        return [[self.operations[node[PICKS + k]], node[k]] for node in nodes for k in range(PICKS)]

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype, self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> EnasMicroSupernet:
        return EnasMicroSupernet(
            self.operations, self.nodes, self.task, resize(self.forms["search"], size), self.genotype
        )

    def costs(self, genotype: Genotype) -> Mapping[str, int]:
        return network_cost(genotype, self.task, self.forms["final"])


def check_search(form: Form) -> None:
    """Raise `RequestError` if the supernet cannot have this form."""
    if form.combine != "project":
        raise RequestError(
            f"space.search.combine={form.combine}: shared weights need cells whose shape does not depend on their "
            "loose ends; set space.search.combine=project"
        )
    if form.auxiliary is not False:
        raise RequestError(
            f"space.search.auxiliary={form.auxiliary}: shared weights are trained with one classifier; set false"
        )
