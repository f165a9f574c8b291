"""The supernet of the recurrent cells: from every state to every later node every activation, mixed by the candidate.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, appendix A.2.1; for weights of each edge Pham et al. 2018,
https://arxiv.org/abs/1802.03268, section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from nasctl.acceleration.compiled import Compilation
from nasctl.core import Architecture, Candidate, Genotype, State, Task, TextSegment
from nasctl.layers.language import Language
from nasctl.layers.projection import Projection, times
from nasctl.space.rnn_darts.activation import FIRST, highway
from nasctl.space.rnn_darts.mixture import mixed, mixture
from nasctl.space.rnn_darts.network import Form, Layer
from nasctl.space.rnn_darts.wiring import Masks, Wiring, masked

Sharing = Literal["node", "edge", "operation"]
"""What has a matrix of its own: a node, whatever it reads; an edge; an activation on an edge."""

Outputs = Literal["all", "loose_ends"]
"""The nodes whose mean leaves a cell: all, or those that no other node reads."""


class MixedCell(Layer):
    """A cell that holds all architectures: ``(x (T, B, H), h (B, H), candidate) -> (outputs, the last of them)``.

    Rows are the edges, those of the first node first; option 0 is ``none``. The weights of a node are
    ``(edges * activations, H, 2 H)``, where either counts as 1 if they share their weights.
    """

    def __init__(
        self,
        names: Sequence[str],
        nodes: int,
        form: Form,
        sharing: Sharing,
        outputs: Outputs,
        wiring: Callable[[Architecture], Wiring],
    ) -> None:
        super().__init__(form)
        self.names, self.nodes, self.outputs, self.wiring = tuple(names), nodes, outputs, wiring
        self.compiled: Compilation | None = None
        self.alternatives = len(names) if sharing == "operation" else 1
        edges = [1 if sharing == "node" else node + 1 for node in range(nodes)]
        self.weights = nn.ParameterList(
            self._uniform(count * self.alternatives, form.units, 2 * form.units) for count in edges
        )
        self.macs = self.macs_of(sum(node + 1 for node in range(nodes)) * self.alternatives)

    def forward(self, x: Tensor, h: Tensor, candidate: Candidate) -> tuple[Tensor, Tensor]:
        if candidate.weights is None:
            wiring = self.wiring(candidate.arch)
            return wiring.run(x, h, self.first, self.matrices_of(wiring.nodes), self.masks(x, h), self.normed)
        return self._mixed(x, h, self._rows(candidate, candidate.weights), self.masks(x, h))

    def matrices_of(self, nodes: Sequence[tuple[str, int]]) -> list[Tensor]:
        """Return the weights ``(H, 2 H)`` of a cell's nodes."""
        return [self._weight(i, source, self.names.index(name)) for i, (name, source) in enumerate(nodes)]

    def _weight(self, node: int, source: int, activation: int) -> Tensor:
        return self._of_edge(node, source)[min(activation, self.alternatives - 1)]

    def _of_edge(self, node: int, source: int) -> Tensor:
        """Return the weights of an edge, ``(1 or activations, H, 2 H)``."""
        edges: tuple[Tensor, ...] = self.weights[node].split(self.alternatives)
        return edges[min(source, len(edges) - 1)]

    @staticmethod
    def _rows(candidate: Candidate, weights: Sequence[Tensor]) -> Tensor:
        """Return the weight of each activation of each row, ``(rows, activations)``; ``none`` adds nothing."""
        rows = torch.stack(list(weights))
        if candidate.active is not None:
            active = torch.tensor(list(candidate.active), device=rows.device)
            rows = rows * nn.functional.one_hot(active, rows.shape[1])
        return rows[:, 1:]

    def _mixed(self, x: Tensor, h: Tensor, rows: Tensor, masks: Masks) -> tuple[Tensor, Tensor]:
        steps, batch, inputs = x.shape
        projected = (masks.input(x).flatten(0, 1) @ self.first[:inputs]).view(steps, batch, -1)
        matrices: list[Any] = [self.first[inputs:], *(self._leaving(source) for source in range(self.nodes))]
        leaving = [rows[[edge(source, node) for node in range(source, self.nodes)]] for source in range(self.nodes)]
        step: Callable[..., Tensor]
        if self.compiled is None:
            matrices = [Projection(matrix, steps, batch) for matrix in matrices]
            step, mix = self.step, mixed
        else:
            step, mix = self.compiled, mixture
        shares, outputs = self._shares(rows), []
        for row in projected.unbind():
            h = step(row, h, masks.h, matrices, leaving, shares, mix)
            outputs.append(h)
        return torch.stack(outputs), h

    def _leaving(self, source: int) -> Tensor:
        """Return the weights of all products that read ``source``: ``(H, 2 * nodes * activations * H)``."""
        held = torch.stack([self._of_edge(node, source) for node in range(source, self.nodes)])
        m, alternatives, units, _ = held.shape
        return held.view(m, alternatives, units, 2, units).permute(2, 3, 0, 1, 4).reshape(units, -1)

    def step(
        self,
        row: Tensor,
        h: Tensor,
        mask: Tensor | None,
        matrices: Sequence[Any],
        leaving: Sequence[Tensor],
        shares: Tensor,
        mix: Callable[..., Tensor],
    ) -> Tensor:
        """Return the output ``(B, H)`` of one time step from the product of its input and from the last output."""
        recurrent, *products = matrices
        s = self.normed(highway(h, row + times(masked(h, mask), recurrent), FIRST))
        total: Any = 0
        states = []
        for source, matrix in enumerate(products):
            product = times(masked(s, mask), matrix).view(len(s), 2, self.nodes - source, -1, self.units)
            total = total + mix(product, s, leaving[source], self.names)
            s, total = self.normed(total[:, 0]), total[:, 1:]
            states.append(s)
        outputs: Tensor = torch.tensordot(shares, torch.stack(states), 1)
        return outputs

    def _shares(self, rows: Tensor) -> Tensor:
        """Return what each node gives to the output, ``(nodes,)``: a node is as loose as no later node reads it."""
        if self.outputs == "all":
            return rows.new_full((self.nodes,), 1 / self.nodes)
        read = rows.sum(1)
        loose = [
            torch.stack([1 - read[edge(node + 1, later)] for later in range(node + 1, self.nodes)]).prod()
            for node in range(self.nodes - 1)
        ]
        shares = torch.stack([*loose, torch.ones_like(read[0])])
        return shares / shares.sum()


def edge(source: int, node: int) -> int:
    """Return the row of the edge from a state to a node, counted from 0; state k + 1 is the output of node k."""
    return node * (node + 1) // 2 + source


class RnnDartsSupernet(Language):
    """The language model that holds all architectures: ``(segment, candidate) -> logits (T * B, V)``."""

    def __init__(self, cell: MixedCell, task: Task, form: Form) -> None:
        super().__init__([cell], task, form.units, form.dropouts, form.init_range, form.decoder_bias)

    def forward(self, segment: TextSegment, candidate: Candidate) -> Tensor:  # type: ignore[override]
        return self.read(segment, candidate)

    def compile_step(self, setting: str) -> None:
        """Compile a time step of a mixture; ``setting`` is what asked for it."""
        cell = self._layers[0]
        cell.compiled = Compilation(cell.step, setting, dynamic=False)

    def subnet_state(self, genotype: Genotype) -> State:
        """Return the shared weights of ``genotype`` under the names of its network of the form ``search``."""
        nodes = [(name, source) for name, source in genotype["recurrent"]]
        own = {f"layers.0.weights.{i}": w.detach() for i, w in enumerate(self._layers[0].matrices_of(nodes))}
        rest = {name: value for name, value in self.state_dict().items() if ".weights." not in name}
        return rest | own
