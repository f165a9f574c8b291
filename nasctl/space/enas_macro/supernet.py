"""The macro supernet: in each layer every operation, of which a path runs one.

Pham et al. 2018, https://arxiv.org/abs/1802.03268, section 2.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from nasctl.core import Architecture, Candidate, Genotype, State, Task
from nasctl.space._count import on_meta
from nasctl.space.enas_macro.network import Form, Network, Skeleton


class EnasMacroSupernet(Skeleton):
    """The network that holds all architectures: ``forward(x, candidate) -> logits`` of the candidate's path."""

    def __init__(
        self, names: Sequence[str], layers: int, task: Task, form: Form, genotype: Callable[[Architecture], Genotype]
    ) -> None:
        super().__init__([names] * layers, [0] * layers, task, form)
        self.genotype, self.task, self.form = genotype, task, form

    def forward(self, x: Tensor, candidate: Candidate) -> Tensor:
        """Map images ``(n, c, h, w)`` to logits ``(n, outputs)``."""
        return self.run(x, self.genotype(candidate.arch))

    def subnet_state(self, genotype: Genotype) -> State:
        """Return the shared weights of ``genotype`` under the names of its network of the form ``search``."""
        network, shared = on_meta(lambda: Network(genotype, self.task, self.form)), self.state_dict()
        return {name: shared[name] for name in network.state_dict()}
