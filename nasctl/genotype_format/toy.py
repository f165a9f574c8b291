"""The genotype of TabNAS's toy problem: ``widths`` holds the units of each hidden layer.

Yang et al. 2022, https://arxiv.org/abs/2204.07615, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError
from nasctl.genotype_format import _literal
from nasctl.genotype_format._counts import Joined


class ToyFormat(Joined):
    """``4-2``: one of ``widths`` for each of ``layers`` hidden layers before ``outputs`` units."""

    family: ClassVar = "toy"
    key, separator, example = "widths", "-", "4-2"

    def __init__(self, layers: int, widths: Sequence[int], outputs: int) -> None:
        self.layers, self.widths, self.outputs = layers, list(widths), outputs

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        return self.check(self.read(text))

    def check(self, genotype: Genotype) -> Genotype:
        widths = genotype.get("widths")
        fits = isinstance(widths, list) and len(widths) == self.layers and all(type(w) is int for w in widths)
        if not fits or not set(widths or ()) <= set(self.widths):
            raise RequestError(
                f"genotype: {_literal.shown(dict(genotype))} does not give each of {self.layers} layers one of the "
                f"widths {', '.join(map(str, self.widths))}; correct it"
            )
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {}

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        names = ["input", *(f"layer{i + 1}" for i in range(self.layers)), "output"]
        widths = [*genotype["widths"], self.outputs]
        return {"network": [(a, b, f"linear_{w}") for (a, b), w in zip(pairwise(names), widths, strict=True)]}
