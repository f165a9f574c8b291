"""What spaces share whose architectures are lists of counts: widths of layers, or channels of places."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nasctl.core import Architecture, Decision, Genotype, Remark, ignore
from nasctl.errors import RequestError
from nasctl.space import _literal, _numbers
from nasctl.space._shared import FixedWalk, OneText


class Counts(FixedWalk, OneText):
    """One of ``options`` for each of ``names``: the walk, and the notation, which joins the counts by ``separator``.

    The genotype holds them under ``key``. A space that is one says what networks they name and what those cost, and
    gives ``check``; an option list that is empty or names one twice is a `RequestError`.
    """

    marks: tuple[str, ...] = ()
    key: str
    separator: str
    example: str  # of the notation

    def __init__(self, options: Sequence[int], names: Sequence[str]) -> None:
        if not options or len(set(options)) < len(options):
            raise RequestError(
                f"space.{self.key}={list(options)} must be one or more different {self.key}; correct the list"
            )
        self.options = list(options)
        self.decisions = tuple(Decision(name, self.key, tuple(map(str, options))) for name in names)
        self.num_operations = len(options)

    def genotype(self, arch: Architecture) -> Genotype:
        return {self.key: [self.options[option] for option in arch]}

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        """Read the counts as `notation` writes them, or as a list or tuple; either in quotes too."""
        plain = _numbers.unquoted(text)
        if re.fullmatch(rf"[0-9]+({self.separator}[0-9]+)*", plain):
            return self.check({self.key: [_numbers.number(count) for count in plain.split(self.separator)]})
        if plain[:1] in ("[", "(") and _numbers.is_row(plain):
            return self.check({self.key: _numbers.read(plain)})
        raise RequestError(f"genotype text: {_literal.shown(text)} is not of the form {self.example}; correct it")

    def notation(self, genotype: Genotype) -> str:
        return self.separator.join(map(str, genotype[self.key]))

    def check(self, genotype: Genotype) -> Genotype:
        raise NotImplementedError
