"""Genotypes that are lists of counts: widths of layers, or channels of places."""

from __future__ import annotations

import re

from nasctl.core import Genotype
from nasctl.errors import RequestError
from nasctl.genotype_format import _literal, _numbers
from nasctl.genotype_format._form import OneText


def counts(text: str, separator: str, example: str) -> list[int]:
    """Return the counts of a text such as ``example``, of a list or of a tuple; either may stand in quotes."""
    plain = _numbers.unquoted(text)
    if re.fullmatch(rf"[0-9]+({separator}[0-9]+)*", plain):
        return [_numbers.number(count) for count in plain.split(separator)]
    if plain[:1] in ("[", "(") and _numbers.is_row(plain):
        return _numbers.read(plain)
    raise RequestError(f"genotype text: {_literal.shown(text)} is not of the form {example}; correct it")


class Joined(OneText):
    """The notation of counts under ``key``, joined by ``separator``."""

    key: str
    separator: str
    example: str
    marks: tuple[str, ...] = ()

    def notation(self, genotype: Genotype) -> str:
        return self.separator.join(map(str, genotype[self.key]))

    def read(self, text: str) -> Genotype:
        """Return the genotype that ``text`` writes, unchecked."""
        return {self.key: counts(text, self.separator, self.example)}
