"""The genotype of feed-forward networks: ``widths`` holds the units of each hidden layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

from pydantic import StrictInt, TypeAdapter, ValidationError

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError
from nasctl.genotype_format import _literal
from nasctl.genotype_format._counts import Joined

_WIDTHS = TypeAdapter(list[StrictInt])


class FfnFormat(Joined):
    """``32-144-24``, between ``inputs`` and ``outputs`` units; any list of positive widths can be built."""

    family: ClassVar = "ffn"
    key, separator, example = "widths", "-", "32-144-24"

    def __init__(self, inputs: int, outputs: int) -> None:
        self.inputs, self.outputs = inputs, outputs

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        return self.check(self.read(text))

    def check(self, genotype: Genotype) -> Genotype:
        try:
            widths = _WIDTHS.validate_python(genotype["widths"])
        except (KeyError, TypeError, ValidationError) as error:
            raise RequestError(
                f"genotype: widths must list integers, which {_literal.shown(genotype)} does not; correct it"
            ) from error
        if not widths or min(widths) < 1:
            raise RequestError(
                f"genotype: widths {_literal.shown(widths)} must be one or more numbers of at least 1; correct them"
            )
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        """Return the number of bottlenecks: hidden layers narrower than both of their neighbours."""
        widths = [self.inputs, *genotype["widths"], self.outputs]
        return {"bottlenecks": sum(b < min(a, c) for a, b, c in zip(widths, widths[1:-1], widths[2:], strict=False))}

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        names = ["input", *(f"layer{i + 1}" for i in range(len(genotype["widths"]))), "output"]
        widths = [*genotype["widths"], self.outputs]
        return {"network": [(a, b, f"linear_{w}") for (a, b), w in zip(pairwise(names), widths, strict=True)]}
