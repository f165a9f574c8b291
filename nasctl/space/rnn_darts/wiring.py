"""A cell of chosen nodes, run over time: which state each node reads, and by which activation.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, appendix A.2.1; Pham et al. 2018,
https://arxiv.org/abs/1802.03268, section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from nasctl.core import Genotype
from nasctl.errors import RunError
from nasctl.layers.language import kept
from nasctl.layers.projection import Projection, times
from nasctl.space.rnn_darts.activation import FIRST, highway

EPSILON = 1e-5  # added to the variance, as batch normalisation usually does


@dataclass(frozen=True)
class Masks:
    """What is dropped of the input, ``(1, B, inputs)``, and of every state, ``(B, H)``, at all time steps."""

    x: Tensor | None
    h: Tensor | None

    @classmethod
    def sampled(cls, x: Tensor, h: Tensor, share_x: float, share_h: float) -> Masks:
        """Return new masks for an input ``(T, B, inputs)`` and a state."""
        return cls(kept(x[:1], share_x) if share_x else None, kept(h, share_h) if share_h else None)

    def input(self, x: Tensor) -> Tensor:
        """Return what the first product reads of the input."""
        return x if self.x is None else x * self.x


WHOLE = Masks(None, None)


def masked(s: Tensor, mask: Tensor | None) -> Tensor:
    """Return what a product reads of a state."""
    return s if mask is None else s * mask


def norm(s: Tensor) -> Tensor:
    """Return a state normalised by its batch, ``(B, H)``, in evaluation too: a search net has no other statistics."""
    if len(s) < 2:
        raise RunError(
            "a norm over one column of text has no variance; raise the batch size, or set norm: false in the form"
        )
    return torch.batch_norm(s, None, None, None, None, True, 0.0, EPSILON, False)


def plain(s: Tensor) -> Tensor:
    """Return a state as it is."""
    return s


@dataclass(frozen=True)
class Wiring:
    """The nodes of a cell: activation and source of each, and the nodes whose mean is the output."""

    nodes: Sequence[tuple[str, int]]
    outputs: Sequence[int]

    @classmethod
    def of(cls, genotype: Genotype) -> Wiring:
        return cls([(name, source) for name, source in genotype["recurrent"]], genotype["concat"])

    def run(
        self,
        x: Tensor,
        h: Tensor,
        first: Tensor,
        weights: Sequence[Tensor],
        masks: Masks,
        normed: Callable[..., Any],
        compiled: Callable[..., Any] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Map ``(T, B, inputs)`` and the output before it ``(B, H)`` to all outputs ``(T, B, H)`` and the last one.

        ``first`` is ``(inputs + H, 2 H)``, the weights of nodes ``(H, 2 H)``. The products of all inputs are one,
        and so are those of the nodes that read the same state. ``compiled`` is `step`, compiled.
        """
        steps, batch, inputs = x.shape
        projected = (masks.input(x).flatten(0, 1) @ first[:inputs]).view(steps, batch, -1)
        matrices: list[Any] = [first[inputs:], *self.joined(weights)]
        if compiled is None:
            matrices = [Projection(matrix, steps, batch) for matrix in matrices]
        step, outputs = compiled or self.step, []
        for row in projected.unbind():
            h = step(row, h, masks.h, matrices, normed)
            outputs.append(h)
        return torch.stack(outputs), h

    @cached_property
    def readers(self) -> dict[int, list[int]]:
        """The nodes that read each state, of the states that any node reads."""
        sources = sorted({source for _, source in self.nodes})
        return {source: [node for node, (_, read) in enumerate(self.nodes) if read == source] for source in sources}

    def joined(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """Return for each of these states the weights of its readers side by side."""
        return [torch.cat([weights[node] for node in nodes], dim=1) for nodes in self.readers.values()]

    def step(
        self, row: Tensor, h: Tensor, mask: Tensor | None, matrices: Sequence[Any], normed: Callable[..., Any]
    ) -> Tensor:
        """Return the output ``(B, H)`` of one time step from the product of its input and from the last output."""
        recurrent, *leaving = matrices
        states = [normed(highway(h, row + times(masked(h, mask), recurrent), FIRST))]
        products = dict(zip(self.readers, leaving, strict=True))
        pending: dict[int, Tensor] = {}
        for node, (activation, source) in enumerate(self.nodes):
            if node not in pending:
                nodes = self.readers[source]
                parts = times(masked(states[source], mask), products[source]).chunk(len(nodes), dim=1)
                pending.update(zip(nodes, parts, strict=True))
            states.append(normed(highway(states[source], pending[node], activation)))
        if len(self.outputs) == 1:
            outputs: Tensor = states[self.outputs[0]]
            return outputs
        return torch.stack([states[i] for i in self.outputs]).mean(0)
