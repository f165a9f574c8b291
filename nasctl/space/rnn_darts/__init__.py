"""Recurrent cells of highway nodes: a node reads one earlier state and applies one activation to it.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 3.1.2 and appendix A.2.1; the space of Pham et al. 2018,
https://arxiv.org/abs/1802.03268, section 2.1, has the same cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import PositiveInt
from torch import Tensor, nn

from nasctl.core import Architecture, Decision, Genotype, RelaxedChoice, Task
from nasctl.genotype_format.rnn_darts import RnnDartsFormat, loose_ends
from nasctl.layers.language import check_task
from nasctl.space import _count
from nasctl.space._cell.choices import check_choices
from nasctl.space._forms import resize
from nasctl.space._shared import FixedWalk
from nasctl.space.rnn_darts.activation import ACTIVATIONS
from nasctl.space.rnn_darts.network import Form, Network
from nasctl.space.rnn_darts.supernet import MixedCell, Outputs, RnnDartsSupernet, Sharing, edge
from nasctl.space.rnn_darts.wiring import Wiring

NONE = 0  # position of the option that is the absence of an operation


class RnnDarts(FixedWalk):
    """Cells of ``nodes`` nodes after a first state; decisions are, per node, the state it reads and an activation.

    Relaxed choices are the edges. ``operations`` starts with ``none``, which they have and decisions lack.
    ``outputs`` says whose mean leaves a cell, ``sharing`` what has weights of its own in the supernet.
    """

    format = RnnDartsFormat()

    def __init__(
        self,
        task: Task,
        *,
        nodes: PositiveInt,
        operations: list[str],
        outputs: Outputs,
        sharing: Sharing,
        search: Form,
        final: Form,
    ) -> None:
        check_task(task, self.format.family)
        check_choices("space.operations", operations, ACTIVATIONS, "activations", after_none=True)
        self.task, self.nodes, self.operations = task, nodes, tuple(operations)
        self.outputs, self.sharing = outputs, sharing
        self.forms = {"search": search, "final": final}
        self.activations = self.operations[1:]
        self.decisions = tuple(d for node in range(nodes) for d in self._node_decisions(node))
        self.relaxed_choices = tuple(
            RelaxedChoice(f"{source}-{node + 1}", self.operations)
            for node in range(nodes)
            for source in range(node + 1)
        )
        self.num_operations = len(self.activations)

    def _node_decisions(self, node: int) -> tuple[Decision, Decision]:
        sources = tuple(str(source) for source in range(node + 1))
        return (
            Decision(f"{node + 1}/input", f"input of node {node + 1}", sources),
            Decision(f"{node + 1}/activation", "activation", self.activations),
        )

    def genotype(self, arch: Architecture) -> Genotype:
        pairs = _pairs(arch)
        ends = loose_ends([source for source, _ in pairs])
        return {
            "recurrent": [[self.activations[option], source] for source, option in pairs],
            "concat": ends if self.outputs == "loose_ends" else list(range(1, self.nodes + 1)),
        }

    def relaxed_path(self, arch: Architecture) -> list[int]:
        """Return the option of each relaxed choice that runs for ``arch``: its activation, or ``none``."""
        options = [NONE] * len(self.relaxed_choices)
        for node, (source, option) in enumerate(_pairs(arch)):
            options[edge(source, node)] = option + 1
        return options

    def discretize(self, weights: Sequence[Tensor]) -> Architecture:
        """Keep each node's strongest activation on its strongest edge, ``none`` apart (section 2.4)."""
        values = [row.detach().tolist()[1:] for row in weights]
        arch: list[int] = []
        for node in range(self.nodes):
            edges = [values[edge(source, node)] for source in range(node + 1)]
            strongest = max(range(node + 1), key=lambda source, edges=edges: max(edges[source]))  # type: ignore[misc]
            arch += [strongest, edges[strongest].index(max(edges[strongest]))]
        return tuple(arch)

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype, self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> RnnDartsSupernet:
        form = resize(self.forms["search"], size)
        cell = MixedCell(self.activations, self.nodes, form, self.sharing, self.outputs, self._wiring)
        return RnnDartsSupernet(cell, self.task, form)

    def _wiring(self, arch: Architecture) -> Wiring:
        return Wiring.of(self.genotype(arch))

    def cost(self, genotype: Genotype, name: str) -> float:
        """Return ``params``, or ``macs`` of one token; all cells with as many nodes cost the same."""
        form = self.forms["final"]
        cell = 4 * form.units**2 + len(genotype["recurrent"]) * 2 * form.units**2
        words = form.units * self.task.num_outputs
        bias = self.task.num_outputs if form.decoder_bias else 0
        return {"params": cell + words + bias, "macs": cell + words}[name]

    def count(self, network: nn.Module) -> Mapping[str, int]:
        return _count.of_language(network)


def _pairs(arch: Architecture) -> list[tuple[int, int]]:
    """Return (source, activation) of each node."""
    return list(zip(arch[::2], arch[1::2], strict=True))
