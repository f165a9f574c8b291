"""The toy problem of TabNAS: widths of a small feed-forward network, of which only the cost is computed.

Yang et al. 2022, https://arxiv.org/abs/2204.07615, section 3; its qualities are declared in ``estimator=toy``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Annotated

from pydantic import Field, PositiveInt
from torch import Tensor, nn

from nasctl.core import Architecture, Decision, Genotype, RequestError, Row, Task
from nasctl.space import _chain


class Toy:
    """One of ``widths`` for each of ``layers`` hidden layers between ``inputs`` and ``outputs`` units.

    ``params`` counts weights and biases, ``macs`` weights alone. No networks are built.
    """

    family = "toy"
    rows: tuple[Row, ...] = ()

    def __init__(
        self,
        task: Task,
        *,
        widths: list[PositiveInt],
        layers: Annotated[int, Field(ge=2)],
        inputs: PositiveInt,
        outputs: PositiveInt,
    ) -> None:
        if not widths or len(set(widths)) < len(widths):
            raise RequestError(f"space.widths={widths} must be one or more different widths; correct the list")
        self.widths, self.layers, self.inputs, self.outputs = widths, layers, inputs, outputs
        options = tuple(map(str, widths))
        self.decisions = tuple(Decision(f"layer{i + 1}", options) for i in range(layers))
        self.size = len(widths) ** layers
        self.num_operations = len(widths)
        self.chain = cache(self._chain)

    def legal(self, prefix: Sequence[int]) -> Sequence[int]:
        return range(len(self.widths)) if len(prefix) < self.layers else ()

    def genotype(self, arch: Architecture) -> Genotype:
        return {"widths": [self.widths[option] for option in arch]}

    def discretize(self, weights: Sequence[Tensor]) -> Architecture:
        return tuple(int(row.detach().argmax()) for row in weights)

    def parse(self, text: str) -> Genotype:
        """Read ``4-2``."""
        if not re.fullmatch(r"\d+(-\d+)*", text.strip()):
            raise RequestError(f"genotype text: {text!r} is not of the form 4-2; correct it")
        return self.check({"widths": [int(width) for width in text.split("-")]})

    def notation(self, genotype: Genotype) -> str:
        return "-".join(map(str, genotype["widths"]))

    def check(self, genotype: Genotype) -> Genotype:
        widths = genotype.get("widths")
        if not isinstance(widths, list) or len(widths) != self.layers or not set(widths) <= set(self.widths):
            raise RequestError(
                f"genotype: {dict(genotype)} does not give each of {self.layers} layers one of the widths "
                f"{', '.join(map(str, self.widths))}; correct it"
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
            self.widths,
            self.layers,
            lambda a: self._link(name, self.inputs, a),
            lambda i, a, b: self._link(name, a, b),
            lambda b: self._link(name, b, self.outputs),
        )

    @staticmethod
    def _link(name: str, a: int, b: int) -> int:
        return a * b + (b if name == "params" else 0)
