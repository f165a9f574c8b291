"""What spaces share that have the same decisions in every walk, and what those of image classifiers share besides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from torch import nn

from nasctl.core import Decision, Genotype, Task
from nasctl.space import _count


class OneText:
    """A space whose genotypes are written in one way: each is its own canonical form."""

    def canonical(self, genotype: Genotype) -> Genotype:
        return genotype


class FixedWalk:
    """A space each of whose walks takes all ``decisions``, whatever was decided before."""

    decisions: tuple[Decision, ...]

    def legal(self, prefix: Sequence[int]) -> Sequence[int]:
        return range(len(self.decisions[len(prefix)].options)) if len(prefix) < len(self.decisions) else ()


class Priced:
    """A space of image classifiers, whose `price` is asked once for each of the last genotypes."""

    task: Task

    def price(self, genotype: Genotype) -> Mapping[str, int]:
        """Return the ``params`` and ``macs`` of the network of the form ``final``."""
        raise NotImplementedError

    def cost(self, genotype: Genotype, name: str) -> float:
        return _price(self, json.dumps(genotype))[name]

    def count(self, network: nn.Module) -> Mapping[str, int]:
        return _count.cost(network, self.task.input_shape)


@lru_cache(maxsize=4096)
def _price(space: Priced, genotype: str) -> Mapping[str, int]:
    return space.price(json.loads(genotype))
