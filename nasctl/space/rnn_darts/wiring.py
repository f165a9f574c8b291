"""A cell of chosen nodes, run over time: which state each node reads, and by which activation.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, appendix A.2.1; Pham et al. 2018,
https://arxiv.org/abs/1802.03268, section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nasctl.core import Genotype, RunError
from nasctl.space._language import kept
from nasctl.space._projection import Projection
from nasctl.space.rnn_darts.activation import FIRST, highway

EPSILON = 1e-5  # added to the variance, as batch normalisation usually does


@dataclass(frozen=True)
class Masks:
    """What is dropped of the input, ``(1, B, inputs)``, and of every state, ``(B, H)``, at all time steps."""

    x: Tensor | None
    h: Tensor | None

    @classmethod
    def drawn(cls, x: Tensor, h: Tensor, share_x: float, share_h: float) -> Masks:
        """Return new masks for an input ``(T, B, inputs)`` and a state."""
        return cls(kept(x[:1], share_x) if share_x else None, kept(h, share_h) if share_h else None)

    def state(self, s: Tensor) -> Tensor:
        """Return what a product reads of a state."""
        return s if self.h is None else s * self.h

    def input(self, x: Tensor) -> Tensor:
        """Return what the first product reads of the input."""
        return x if self.x is None else x * self.x


WHOLE = Masks(None, None)


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
        self, x: Tensor, h: Tensor, first: Tensor, weights: Sequence[Tensor], masks: Masks, normed: Callable
    ) -> tuple[Tensor, Tensor]:
        """Map ``(T, B, inputs)`` and the output before it ``(B, H)`` to all outputs ``(T, B, H)`` and the last one.

        ``first`` is ``(inputs + H, 2 H)``, the weights of nodes ``(H, 2 H)``. The products of all inputs are one,
        and so are those of the nodes that read the same state.
        """
        steps, batch, inputs = x.shape
        projected = (masks.input(x).flatten(0, 1) @ first[:inputs]).view(steps, batch, -1)
        recurrent = Projection(first[inputs:], steps, batch)
        readers = {
            source: [node for node, (_, read) in enumerate(self.nodes) if read == source]
            for source in range(len(self.nodes))
        }
        products = {
            source: Projection(torch.cat([weights[node] for node in nodes], dim=1), steps, batch)
            for source, nodes in readers.items()
            if nodes
        }
        outputs = []
        for row in projected.unbind():
            s = normed(highway(h, row + recurrent(masks.state(h)), FIRST))
            h = self._step(s, readers, products, masks, normed)
            outputs.append(h)
        return torch.stack(outputs), h

    def _step(
        self,
        s: Tensor,
        readers: dict[int, list[int]],
        products: dict[int, Projection],
        masks: Masks,
        normed: Callable,
    ) -> Tensor:
        """Return the output of one time step from its first state."""
        states, pending = [s], dict[int, Tensor]()
        for node, (activation, source) in enumerate(self.nodes):
            if node not in pending:
                parts = products[source](masks.state(states[source])).chunk(len(readers[source]), dim=1)
                pending.update(zip(readers[source], parts, strict=True))
            states.append(normed(highway(states[source], pending[node], activation)))
        if len(self.outputs) == 1:
            return states[self.outputs[0]]
        return torch.stack([states[i] for i in self.outputs]).mean(0)
