"""The DARTS supernet: on each edge of each cell every operation, mixed by the candidate.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, equation 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nasctl.core import Architecture, Candidate, Genotype, State, Task
from nasctl.layers.fan_out import fan_out
from nasctl.layers.mixture import Terms, terms
from nasctl.space._cell.operations import OPERATIONS
from nasctl.space._cell.slots import Slot
from nasctl.space.darts.network import Form, Stem, placed, preprocess

NONE = 0  # position of the option that is the absence of an operation


class MixedCell(nn.Module):
    """A cell with an edge from every earlier state to every node; its output concatenates the nodes."""

    def __init__(self, names: Sequence[str], nodes: int, slot: Slot, form: Form) -> None:
        super().__init__()
        self.before, self.last = preprocess(slot, form.affine)
        self.names, self.nodes, self.reduction = tuple(names), nodes, slot.reduction
        self.edges = nn.ModuleDict(
            {
                edge_name(source, node): mixed_edge(
                    names, slot.channels, 2 if slot.reduction and source < 2 else 1, form
                )
                for node in range(nodes)
                for source in range(node + 2)
            }
        )

    def forward(self, before: Tensor, last: Tensor, mixtures: Sequence[Terms]) -> Tensor:
        """Map the outputs of the last two cells to ``(n, nodes * channels, h, w)``; one mixture an edge."""
        mixture = dict(zip(self.edges, mixtures, strict=True))
        states = [self.before(before), self.last(last)]
        parts: list[list[Tensor]] = [[] for _ in range(self.nodes)]
        for source in range(self.nodes + 2):
            if source >= 2:
                states.append(self._node(parts[source - 2], states[0]))
            leaving = {edge_name(source, node): node for node in range(max(source - 1, 0), self.nodes)}
            edges: Any = [self.edges[name] for name in leaving]
            fanned = fan_out(states[source], self.names, edges, [mixture[name] for name in leaving])
            for node, outputs in zip(leaving.values(), fanned, strict=True):
                parts[node] += outputs
        return torch.cat(states[2:], dim=1)

    def _node(self, parts: list[Tensor], state: Tensor) -> Tensor:
        if parts:
            return sum(parts[1:], parts[0])
        return torch.zeros_like(state[:, :, ::2, ::2] if self.reduction else state)


def mixed_edge(names: Sequence[str], channels: int, stride: int, form: Form) -> nn.ModuleDict:
    """Return the operations of one edge by name; ``none`` is never computed."""
    return nn.ModuleDict(
        {n: OPERATIONS[n](channels, stride, form.affine, form.pool_norm) for n in names if n != "none"}
    )


def edge_name(source: int, node: int) -> str:
    """Return the edge's name in a state dict; states 0 and 1 are the cell's inputs, node k is state k + 2."""
    return f"{source}-{node + 2}"


class DartsSupernet(nn.Module):
    """The network that holds all architectures of the space: ``forward(x, candidate) -> logits``.

    ``relaxed_path(arch)`` gives the option of each edge that an architecture runs: ``none`` where it has no edge.
    """

    def __init__(
        self,
        names: Sequence[str],
        nodes: int,
        task: Task,
        form: Form,
        relaxed_path: Callable[[Architecture], Sequence[int]],
    ) -> None:
        super().__init__()
        self.relaxed_path = relaxed_path
        self.stem = Stem(task.input_shape[0], form)
        cells = list(placed(form, lambda kind: nodes))
        self.cells = nn.ModuleList(MixedCell(names, nodes, slot, form) for slot in cells)
        self.classifier = nn.Linear(cells[-1].channels * nodes, task.num_outputs)

    def forward(self, x: Tensor, candidate: Candidate) -> Tensor:
        """Map images ``(n, c, h, w)`` to logits ``(n, outputs)`` of the candidate's mixture or path."""
        mixtures = terms(candidate, self.relaxed_path)
        half = len(mixtures) // 2
        before, last = self.stem(x)
        for cell in self.cells:
            part = mixtures[half:] if cell.reduction else mixtures[:half]
            before, last = last, cell(before, last, part)
        outputs: Tensor = self.classifier(last.mean((2, 3)))
        return outputs

    def subnet_state(self, genotype: Genotype) -> State:
        """Return the shared weights of ``genotype`` under the names of its network of the form ``search``."""
        state: State = {}
        cell: Any
        for i, cell in enumerate(self.cells):
            kind = "reduce" if cell.reduction else "normal"
            parts = {"before": cell.before, "last": cell.last}
            for k, (name, source) in enumerate(genotype[kind]):
                parts[f"operations.{k}"] = cell.edges[edge_name(source, k // 2)][name]
            for part, module in parts.items():
                state |= {f"cells.{i}.{part}.{key}": value for key, value in module.state_dict().items()}
        outer = {"stem": self.stem, "classifier": self.classifier}
        return state | {
            f"{n}.{key}": value for n, module in outer.items() for key, value in module.state_dict().items()
        }
