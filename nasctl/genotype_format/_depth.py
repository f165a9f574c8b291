"""Genotypes of hand-made networks whose only choice is how deep they are: one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError
from nasctl.genotype_format import _literal, _numbers
from nasctl.genotype_format._form import OneText

DEEPEST = 1000  # larger numbers are taken for mistakes: such a network is built for minutes before it fails


class DepthFormat(OneText):
    """``3``: the number of a family's ``unit``, each an ``operation``."""

    marks: tuple[str, ...] = ()

    def __init__(self, family: str, unit: str, operation: str) -> None:
        self.family, self.unit, self.operation = family, unit, operation

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        """Read a number."""
        if not text.strip().isdecimal():
            raise RequestError(
                f"genotype text: {_literal.shown(text)} is not a number of {self.unit}, such as 3; correct it"
            )
        return self.check({self.unit: _numbers.number(text.strip())})

    def notation(self, genotype: Genotype) -> str:
        return str(genotype[self.unit])

    def check(self, genotype: Genotype) -> Genotype:
        depth = genotype.get(self.unit)
        if type(depth) is not int or depth < 1:
            raise RequestError(
                f"genotype: {_literal.shown(dict(genotype))} does not give {self.unit} as a number of 1 or more; "
                "correct it"
            )
        if depth > DEEPEST:
            raise RequestError(f"genotype: {self.unit}={depth} is more than {DEEPEST}; correct it")
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {}

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        return {"cell": [(str(i), str(i + 1), self.operation) for i in range(genotype[self.unit])]}
