"""The resources of a problem: those that its settings name, of which a table may have columns."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from nasctl.config.build import make, target
from nasctl.config.collaborators import check_space
from nasctl.config.conformity import conforming
from nasctl.core import AdditiveCosts, Genotype, Measured, RelaxedCosts, Resource, ResourceContext, SearchSpace
from nasctl.errors import RequestError

Costs = Mapping[str, Callable[[Genotype], float]]
"""What reads a cost of a genotype from a table, by the cost's name."""

UNITS = {1e3: "thousands", 1e6: "millions", 1e9: "billions"}
NEAR = 0.02  # share by which a ratio may miss one of them


def build(nodes: Mapping[str, Mapping[str, Any]], context: ResourceContext, costs: Costs) -> dict[str, Resource]:
    """Return the resources of a problem by name; ``costs`` are those that a table has, which count in their place."""
    return {name: _resource(name, node, context, costs) for name, node in nodes.items()}


def _resource(name: str, node: Mapping[str, Any], context: ResourceContext, costs: Costs) -> Resource:
    if name in costs:
        return Tabled(name, costs[name], lambda: make(node, context))
    check_space(f"resource={name}", target(node), context.space.format.family, context.space)
    made: Resource = conforming(make(node, context), "resource")
    return made


class Tabled:
    """A resource that a table has a column for.

    The first figure read is compared with what is counted: one that differs by a factor of a thousand, a million or a
    billion is a `RequestError`, since limits and records are in units.
    """

    def __init__(self, name: str, column: Callable[[Genotype], float], counted: Callable[[], Resource]) -> None:
        self.name, self.column, self.counted, self.unchecked = name, column, counted, True

    @property
    def unit(self) -> str:
        return self.counted().unit

    def __call__(self, genotype: Genotype) -> float:
        found = self.column(genotype)
        if self.unchecked and found:
            self.unchecked, own = False, self.counted()
            if not isinstance(own, Measured):
                check_unit(self.name, found, own(genotype))
        return found

    def facts(self, genotype: Genotype) -> Mapping[str, Any]:
        return {}


def check_unit(name: str, found: float, counted: float) -> None:
    """Raise `RequestError` if a cost of a table is written in thousands, millions or billions."""
    for factor, word in UNITS.items():
        if abs(counted / found / factor - 1) < NEAR:
            raise RequestError(
                f"estimator.metrics.{name}: the table has {found:g} where the network has {counted:,.0f} {name}, so "
                f"the column is in {word}; write it in units, or give the metric another name, such as table_{name}"
            )


def costed(space: SearchSpace, resources: Mapping[str, Resource]) -> SearchSpace:
    """Return a copy of ``space`` whose ``cost`` knows ``resources``, and what the space counts itself elsewhere.

    Costs of a table are no sums over decisions.
    """
    made, count = copy.copy(space), space.cost

    def cost(genotype: Genotype, name: str) -> float:
        return resources[name](genotype) if name in resources else count(genotype, name)

    made.cost = cost  # type: ignore[method-assign]
    if isinstance(space, AdditiveCosts | RelaxedCosts):
        tabled = {name for name, resource in resources.items() if isinstance(resource, Tabled)}
        vars(made).update(additive=set(space.additive) - tabled)
    return made
