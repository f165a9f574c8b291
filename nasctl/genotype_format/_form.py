"""Formats whose genotypes are written in one way."""

from __future__ import annotations

from nasctl.core import Genotype


class OneText:
    """A format in which no two genotypes name the same network: each is its own canonical form."""

    def canonical(self, genotype: Genotype) -> Genotype:
        return genotype
