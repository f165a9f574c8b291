"""Costs that a table has a column for: they count everywhere in a search, and no network is built for them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from nasctl.core import Genotype, SearchSpace
from nasctl.errors import RequestError

Costs = Mapping[str, Callable[[Genotype], float]]
"""What reads a cost of a genotype from the table, by the cost's name."""

COUNTED = ("params", "macs")
UNITS = {1e3: "thousands", 1e6: "millions", 1e9: "billions"}
NEAR = 0.02  # share by which a ratio may miss one of them


def tabled(space: SearchSpace, costs: Costs) -> SearchSpace:
    """Return a copy of ``space`` whose ``cost`` is the table's where it has one, and what the space counts elsewhere.

    The first cost read is compared with the space's own: one that differs by a factor of a thousand, a million or a
    billion is a `RequestError`, since limits and records are in units. A table's costs are no sums over decisions.
    """
    made, count, unchecked = copy.copy(space), space.cost, set(COUNTED)

    def cost(genotype: Genotype, name: str) -> float:
        if name not in costs:
            return count(genotype, name)
        found = costs[name](genotype)
        if name in unchecked and found:
            unchecked.remove(name)
            check_unit(name, found, count(genotype, name))
        return found

    made.cost = cost  # type: ignore[method-assign]
    vars(made).update(additive=())  # a space's own costs may be sums over decisions
    return made


def check_unit(name: str, found: float, counted: float) -> None:
    """Raise `RequestError` if a cost of a table is written in thousands, millions or billions."""
    for factor, word in UNITS.items():
        if abs(counted / found / factor - 1) < NEAR:
            raise RequestError(
                f"estimator.metrics.{name}: the table has {found:g} where the network has {counted:,.0f} {name}, so "
                f"the column is in {word}; write it in units, or give the metric another name, such as table_{name}"
            )
