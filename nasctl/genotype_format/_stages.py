"""Genotypes of hand-made image networks: ``blocks`` holds the number of blocks of each stage."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pydantic import StrictInt, TypeAdapter, ValidationError

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError
from nasctl.genotype_format import _literal, _numbers
from nasctl.genotype_format._form import OneText

DEEPEST = 1000  # blocks of a stage; the deepest published residual network has 200
_BLOCKS = TypeAdapter(list[StrictInt])


class StagesFormat(OneText):
    """``3-3-3`` for three ``stages``; each block consists of the parallel ``operations``."""

    marks: tuple[str, ...] = ()

    def __init__(self, family: str, stages: int, operations: Sequence[str]) -> None:
        self.family, self.stages, self.operations = family, stages, tuple(operations)

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        """Read the blocks of the stages, as in ``3-3-3`` or ``[3, 3, 3]``."""
        plain = _numbers.unquoted(text)
        if plain[:1] in ("[", "(") and _numbers.is_row(plain):
            return self.check({"blocks": _numbers.read(plain)})
        if not re.fullmatch(r"[0-9]+(-[0-9]+)*", plain) or plain.count("-") != self.stages - 1:
            raise RequestError(
                f"genotype text: {_literal.shown(text)} is not of the form {'-'.join('3' * self.stages)}, blocks of "
                "each stage; correct it"
            )
        return self.check({"blocks": [_numbers.number(count) for count in plain.split("-")]})

    def notation(self, genotype: Genotype) -> str:
        return "-".join(map(str, genotype["blocks"]))

    def check(self, genotype: Genotype) -> Genotype:
        try:
            blocks = _BLOCKS.validate_python(genotype["blocks"])
        except (KeyError, TypeError, ValidationError) as error:
            raise RequestError(
                f"genotype: blocks must list {self.stages} numbers, which {_literal.shown(genotype)} does not; "
                "correct it"
            ) from error
        if len(blocks) != self.stages or min(blocks) < 1 or max(blocks) > DEEPEST:
            raise RequestError(
                f"genotype: blocks={_literal.shown(blocks)} must be {self.stages} numbers from 1 to {DEEPEST}; "
                "correct the list"
            )
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {"skip_connections": sum(genotype["blocks"])} if "skip_connect" in self.operations else {}

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        return {
            f"stage {stage}": [(str(i), str(i + 1), name) for i in range(count) for name in self.operations]
            for stage, count in enumerate(genotype["blocks"], start=1)
        }
