"""Mixins of spaces: walks of the same decisions, relaxed choices that are the decisions, cached costs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

from torch import Tensor, nn

from nasctl.core import Architecture, Decision, Genotype, RelaxedChoice, Task
from nasctl.space import _count


class OneText:
    """A space whose genotypes are written in one way: each is its own canonical form."""

    def canonical(self, genotype: Genotype) -> Genotype:
        return genotype


class FixedWalk:
    """A space each of whose walks takes all ``decisions``, whatever was decided before."""

    decisions: tuple[Decision, ...]

    @property
    def size(self) -> int:
        return math.prod(len(decision.options) for decision in self.decisions)

    def decision(self, prefix: Sequence[int]) -> Decision | None:
        return self.decisions[len(prefix)] if len(prefix) < len(self.decisions) else None

    def complete(self, prefix: Sequence[int]) -> bool:
        return len(prefix) == len(self.decisions)


class RelaxedDecisions(FixedWalk):
    """A fixed walk whose relaxed choices are its decisions; of each the strongest option is taken."""

    @property
    def relaxed_choices(self) -> tuple[RelaxedChoice, ...]:
        return tuple(RelaxedChoice(decision.name, decision.options) for decision in self.decisions)

    def discretize(self, weights: Sequence[Tensor]) -> Architecture:
        return tuple(int(mixture.detach().argmax()) for mixture in weights)


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
