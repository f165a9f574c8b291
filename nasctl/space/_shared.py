"""Mixins of spaces: walks of the same decisions, relaxed choices that are the decisions, cached costs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from torch import Tensor, nn

from nasctl.core import Architecture, Decision, Genotype, RelaxedChoice, Task
from nasctl.space import _count


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

    def relaxed_path(self, arch: Architecture) -> Sequence[int]:
        return arch


class MetaCosts:
    """A space whose costs are counted: its final networks are built on the meta device, without storage.

    A space with a faster way to the same figures overrides ``costs``.
    """

    task: Task
    build: Callable[..., nn.Module]

    def costs(self, genotype: Genotype) -> Mapping[str, int]:
        """Return ``params`` and ``macs`` of the network of the form ``final``."""
        return self.count(_count.on_meta(lambda: self.build(genotype, "final")))

    def cost(self, genotype: Genotype, name: str) -> float:
        return _costs(self, json.dumps(genotype))[name]

    def count(self, network: nn.Module) -> Mapping[str, int]:
        return _count.costs(network, self.task)


@lru_cache(maxsize=4096)
def _costs(space: MetaCosts, genotype: str) -> Mapping[str, int]:
    return space.costs(json.loads(genotype))
