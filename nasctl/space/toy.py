"""The toy problem of TabNAS: widths of a small feed-forward network, of which only the cost is computed.

Yang et al. 2022, https://arxiv.org/abs/2204.07615, section 3; its qualities are declared in ``estimator=toy``.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Annotated

from pydantic import Field, PositiveInt

from nasctl.core import Genotype, Task
from nasctl.genotype_format.toy import ToyFormat
from nasctl.space import _chain, _count
from nasctl.space._counts import Counts


class Toy(Counts):
    """One of ``widths`` for each of ``layers`` hidden layers between ``inputs`` and ``outputs`` units.

    ``params`` counts weights and biases, ``macs`` weights alone. No networks are built.
    """

    key = "widths"
    additive = _count.COUNTED

    def __init__(
        self,
        task: Task,
        *,
        widths: list[PositiveInt],
        layers: Annotated[int, Field(ge=2)],
        inputs: PositiveInt,
        outputs: PositiveInt,
    ) -> None:
        super().__init__(widths, [f"layer{i + 1}" for i in range(layers)])
        self.layers, self.inputs, self.outputs = layers, inputs, outputs
        self.format = ToyFormat(layers, widths, outputs)
        self.chain = cache(self._chain)

    def cost(self, genotype: Genotype, name: str) -> float:
        widths = [self.inputs, *genotype["widths"], self.outputs]
        return sum(self._link(name, a, b) for a, b in pairwise(widths))

    def _chain(self, name: str) -> _chain.Tables:
        """Return what neighbouring layers cost together; see `nasctl.core.Chain`."""
        return _chain.tables(
            self.options,
            self.layers,
            lambda a: self._link(name, self.inputs, a),
            lambda i, a, b: self._link(name, a, b),
            lambda b: self._link(name, b, self.outputs),
        )

    @staticmethod
    def _link(name: str, a: int, b: int) -> int:
        return a * b + (b if name == "params" else 0)
