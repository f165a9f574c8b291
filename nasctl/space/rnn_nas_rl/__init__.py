"""Tree-shaped recurrent cells: a binary tree of nodes over the input and the last output, and a cell state.

Zoph and Le 2017, https://arxiv.org/abs/1611.01578, section 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field
from torch import nn

from nasctl.core import Architecture, Decision, Genotype, Task
from nasctl.errors import RequestError
from nasctl.genotype_format.rnn_nas_rl import RnnNasRlFormat
from nasctl.layers.language import check_task
from nasctl.space import _count
from nasctl.space._cell.choices import check_choices
from nasctl.space._forms import resize
from nasctl.space._shared import FixedWalk
from nasctl.space.rnn_nas_rl.network import Form, Network, RnnNasRlSupernet
from nasctl.space.rnn_nas_rl.operations import ACTIVATIONS, COMBINATIONS


class RnnNasRl(FixedWalk):
    """Trees of ``base`` leaves. Decisions are a combination and an activation per node and for the cell state's
    injection, the node that gives the new cell state, and the node that takes the last one.

    The new cell state is any node's, the root's too; the last one goes into any node but the root, whose output
    nobody reads. The paper gives the size as about 6e16 for base 8, and this is 5.9e16. Cells
    cannot be mixed.
    """

    format = RnnNasRlFormat()

    def __init__(
        self,
        task: Task,
        *,
        base: Annotated[int, Field(ge=2)],
        combinations: list[str],
        activations: list[str],
        search: Form,
        final: Form,
    ) -> None:
        check_task(task, self.format.family)
        if base & (base - 1):
            raise RequestError(f"space.base={base} must be a power of two, the leaves of a full tree; set 2, 4 or 8")
        check_choices("space.combinations", combinations, COMBINATIONS, "names")
        check_choices("space.activations", activations, ACTIVATIONS, "names")
        self.task, self.base, self.nodes = task, base, 2 * base - 1
        self.combinations, self.activations = tuple(combinations), tuple(activations)
        self.forms = {"search": search, "final": final}
        pairs = [d for node in (*range(self.nodes), "inject") for d in self._pair_decisions(node)]
        numbers = tuple(map(str, range(self.nodes)))
        self.decisions = (
            *pairs,
            Decision("cell/new", "new memory", numbers),
            Decision("cell/merged", "merged memory", numbers[:-1]),
        )
        self.num_operations = len(combinations) * len(activations)

    def _pair_decisions(self, node: int | str) -> tuple[Decision, Decision]:
        return (
            Decision(f"{node}/combination", "combination", self.combinations),
            Decision(f"{node}/activation", "activation", self.activations),
        )

    def genotype(self, arch: Architecture) -> Genotype:
        *options, new, merged = arch
        pairs = [[self.combinations[a], self.activations[b]] for a, b in zip(options[::2], options[1::2], strict=True)]
        return {"nodes": pairs[:-1], "inject": pairs[-1], "cell": [new, merged]}

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype, self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> RnnNasRlSupernet:
        return RnnNasRlSupernet(self.base, self.task, resize(self.forms["search"], size), self.genotype)

    def cost(self, genotype: Genotype, name: str) -> float:
        """Return ``params``, or ``macs`` of one token; all cells with as many leaves cost the same."""
        form, leaves = self.forms["final"], (len(genotype["nodes"]) + 1) // 2
        weights = form.layers * 2 * leaves * form.units**2 + form.units * self.task.num_outputs
        bias = self.task.num_outputs if form.decoder_bias else 0
        return {"params": weights + bias, "macs": weights}[name]

    def count(self, network: nn.Module) -> Mapping[str, int]:
        return _count.of_language(network)
