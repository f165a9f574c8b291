"""The genotype of NATS-Bench's size space: ``channels`` holds the channels of each of five places.

Dong et al. 2021, https://arxiv.org/abs/2009.00437.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError
from nasctl.genotype_format import _literal
from nasctl.genotype_format._counts import Joined

PLACES = 5


class NatsSizeFormat(Joined):
    """``8:16:24:32:64``, as the benchmark writes it."""

    family: ClassVar = "nats_size"
    key, separator, example = "channels", ":", "8:16:24:32:64"

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        return self.check(self.read(text))

    def check(self, genotype: Genotype) -> Genotype:
        counts = genotype.get("channels")
        plain = isinstance(counts, list) and all(type(count) is int and count > 0 for count in counts)
        if not plain or len(genotype["channels"]) != PLACES:
            raise RequestError(
                f"genotype: {_literal.shown(dict(genotype))} does not give channels of {PLACES} places; correct it"
            )
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {}

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        names = pairwise(["image", *(f"place{i}" for i in range(PLACES))])
        return {"network": [(a, b, f"{c}_channels") for (a, b), c in zip(names, genotype["channels"], strict=True)]}
