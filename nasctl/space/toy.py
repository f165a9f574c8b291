"""The toy problem of TabNAS: widths of a small feed-forward network, of which only the cost is computed.

Yang et al. 2022, https://arxiv.org/abs/2204.07615, section 3; its qualities are declared in ``estimator=toy``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Annotated

from pydantic import Field, PositiveInt
from torch import nn

from nasctl.core import Genotype, Task
from nasctl.errors import RequestError
from nasctl.space import _chain, _count, _literal
from nasctl.space._counts import Counts


class Toy(Counts):
    """One of ``widths`` for each of ``layers`` hidden layers between ``inputs`` and ``outputs`` units.

    ``params`` counts weights and biases, ``macs`` weights alone. No networks are built.
    """

    family = "toy"
    key, separator, example = "widths", "-", "4-2"
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
        self.chain = cache(self._chain)

    def check(self, genotype: Genotype) -> Genotype:
        widths = genotype.get("widths")
        fits = isinstance(widths, list) and len(widths) == self.layers and all(type(w) is int for w in widths)
        if not fits or not set(widths or ()) <= set(self.options):
            raise RequestError(
                f"genotype: {_literal.shown(dict(genotype))} does not give each of {self.layers} layers one of the "
                f"widths {', '.join(map(str, self.options))}; correct it"
            )
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {}

    def graph(self, genotype: Genotype) -> Mapping[str, Sequence[tuple[str, str, str]]]:
        names = ["input", *(decision.name for decision in self.decisions), "output"]
        widths = [*genotype["widths"], self.outputs]
        return {"network": [(a, b, f"linear_{w}") for (a, b), w in zip(pairwise(names), widths, strict=True)]}

    def count(self, network: nn.Module) -> Mapping[str, int]:
        raise self._refusal()

    def build(self, genotype: Genotype, form: str, **size: int) -> nn.Module:
        raise self._refusal()

    def supernet(self, **size: int) -> nn.Module:
        raise self._refusal()

    def _refusal(self) -> RequestError:
        return RequestError("space=toy has costs and declared qualities but no networks; choose another space to train")

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
