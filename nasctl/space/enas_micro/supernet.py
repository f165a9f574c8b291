"""The micro supernet: for each pick of a node every operation on every earlier state, of which a path runs one.

Pham et al. 2018, https://arxiv.org/abs/1802.03268, section 2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from nasctl.core import Architecture, Candidate, Genotype, State, Task
from nasctl.genotype_format.enas_micro import KINDS, PICKS
from nasctl.space._count import on_meta
from nasctl.space.enas_micro.network import Form, Network, Skeleton


class EnasMicroSupernet(Skeleton):
    """The network that holds all architectures: ``forward(x, candidate) -> logits`` of the candidate's path."""

    def __init__(
        self, names: Sequence[str], nodes: int, task: Task, form: Form, genotype: Callable[[Architecture], Genotype]
    ) -> None:
        picks = [[(n, source) for source in range(k // PICKS + 2) for n in names] for k in range(PICKS * nodes)]
        states = range(nodes + 2)
        super().__init__(dict.fromkeys(KINDS, picks), dict.fromkeys(KINDS, states), task, form)
        self.genotype, self.task, self.form = genotype, task, form

    def forward(self, x: Tensor, candidate: Candidate) -> Tensor | tuple[Tensor, Tensor]:
        """Map images ``(n, c, h, w)`` to logits ``(n, outputs)``."""
        return self.run(x, self.genotype(candidate.arch))

    def subnet_state(self, genotype: Genotype) -> State:
        """Return the shared weights of ``genotype`` under the names of its network of the form ``search``."""
        network, shared = on_meta(lambda: Network(genotype, self.task, self.form)), self.state_dict()
        return {name: shared[name] for name in network.state_dict()}
