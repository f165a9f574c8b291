"""Feed-forward networks: one of some widths for each hidden layer, bottlenecks included.

Yang et al. 2022, https://arxiv.org/abs/2204.07615, section 3 and figure 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Annotated

from pydantic import Field, PositiveInt
from torch import nn

from nasctl import task_kinds
from nasctl.core import Genotype, Task
from nasctl.genotype_format.ffn import FfnFormat
from nasctl.space import _chain, _count
from nasctl.space._counts import Counts
from nasctl.space._forms import resize
from nasctl.space._shared import RelaxedDecisions
from nasctl.space.ffn.network import Form, Network, dense
from nasctl.space.ffn.stack import Stack
from nasctl.space.ffn.supernet import FfnSupernet
from nasctl.task_kinds import ROWS

__all__ = ["FFN", "Form"]


class FFN(Counts, RelaxedDecisions):
    """``layers`` hidden layers, each with one of ``widths`` units. Decisions and relaxed choices are the layers.

    The genotype holds the widths, written ``32-144-24``; any list of positive widths can be built. Categorical
    inputs are embedded first. ``params`` counts weights and biases without embeddings, ``macs`` the weights that
    one example meets, ``embedding_params`` the embeddings.
    """

    key = "widths"
    additive = _count.COUNTED

    def __init__(
        self, task: Task, *, widths: list[PositiveInt], layers: Annotated[int, Field(ge=2)], search: Form, final: Form
    ) -> None:
        task_kinds.check(task, (ROWS,), "space=ffn builds classifiers of table rows", ", or a space for that task")
        super().__init__(widths, [f"layer{i + 1}" for i in range(layers)])
        self.task, self.layers, self.forms = task, layers, {"search": search, "final": final}
        self.format = FfnFormat(dense(task, final), task.num_outputs)
        self.chain = cache(self._tables)

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype["widths"], self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> FfnSupernet:
        return FfnSupernet(self.options, self.layers, self.task, resize(self.forms["search"], size))

    def stack(self, networks: Sequence[nn.Module]) -> Stack:
        """Return networks of this space side by side; they are trained at once and do not touch each other."""
        return Stack(networks)  # type: ignore[arg-type]

    def cost(self, genotype: Genotype, name: str) -> float:
        return self._embedding_params() if name == "embedding_params" else self._links(name, genotype["widths"])

    def _tables(self, name: str) -> _chain.Tables:
        """Return what neighbouring layers cost together; see `nasctl.core.Chain`."""
        inputs, outputs = self._ends("final")
        return _chain.tables(
            self.options,
            self.layers,
            lambda a: link(name, inputs, a),
            lambda i, a, b: link(name, a, b),
            lambda b: link(name, b, outputs),
        )

    def relaxed_chain(self, name: str) -> _chain.Tables:
        """Return the same: the relaxed choices are the decisions."""
        return self.chain(name)

    def count(self, network: nn.Module) -> Mapping[str, int]:
        """Return ``params`` without embeddings, ``macs`` and ``embedding_params``."""
        counted = _count.part(network, self.task.input_shape)
        embeddings = sum(m.weight.numel() for m in network.modules() if isinstance(m, nn.Embedding))
        return counted | {"params": counted["params"] - embeddings, "embedding_params": embeddings}

    def _ends(self, form: str) -> tuple[int, int]:
        return dense(self.task, self.forms[form]), self.task.num_outputs

    def _links(self, name: str, widths: Sequence[int]) -> int:
        inputs, outputs = self._ends("final")
        return sum(link(name, a, b) for a, b in pairwise([inputs, *widths, outputs]))

    def _embedding_params(self) -> int:
        return sum(self.task.categories) * self.forms["final"].embedding


def link(name: str, a: int, b: int) -> int:
    """Return what a linear layer of ``a`` inputs and ``b`` outputs costs."""
    return {"params": a * b + b, "macs": a * b}[name]
