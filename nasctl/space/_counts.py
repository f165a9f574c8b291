"""What spaces share whose architectures are lists of counts: widths of layers, or channels of places."""

from __future__ import annotations

from collections.abc import Sequence

from nasctl.core import Architecture, Decision, Genotype
from nasctl.errors import RequestError
from nasctl.space._shared import FixedWalk


class Counts(FixedWalk):
    """One of ``options`` for each of ``names``; the genotype holds them under ``key``.

    An option list that is empty or names one twice is a `RequestError`.
    """

    key: str

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
