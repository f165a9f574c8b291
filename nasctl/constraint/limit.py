"""An upper limit on a cost that needs no training: counted, or measured latency."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import PositiveFloat, PositiveInt

from nasctl.core import AdditiveCosts, Chain, Genotype, RelaxedCosts, SearchSpace
from nasctl.errors import RequestError

Resource = Literal["params", "macs", "latency"]
COUNTED = {"params": "so few params", "macs": "so few macs"}  # sums over neighbouring decisions, in some spaces
TELLING = 20  # architectures, of which a limit that is of use is likely to refuse one
SO_LITTLE = COUNTED | {"latency": "so low a latency"}


class Limit:
    """Accepts genotypes whose ``resource``, of the final form, is at most ``limit``.

    A limit that no architecture meets is a `RequestError`, at once where the space's costs are sums over
    neighbouring decisions, otherwise after ``tries`` samples.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        resource: Resource,
        limit: PositiveFloat,
        tries: PositiveInt,
    ) -> None:
        self.space, self.resource, self.limit, self.tries = space, resource, limit, tries
        self.resources: tuple[str, ...] = (resource,)
        chain = self.chain()
        self.extent = extent(chain.tables) if chain else None
        self.judged = self.refused = 0
        if self.extent and self.extent[0] > limit:
            raise RequestError(
                f"{self.setting}={limit:g}: no architecture of the space has {SO_LITTLE[resource]}; "
                f"the cheapest has {self.extent[0]:,.0f}, raise the limit"
            )

    def __call__(self, genotype: Genotype) -> bool:
        accepted = self.margin(genotype) >= 0
        self.judged, self.refused = self.judged + 1, self.refused + (not accepted)
        return accepted

    def margin(self, genotype: Genotype) -> float:
        """Return how much of the limit is left, in the resource's unit; negative if it is exceeded."""
        return self.limit - self.space.cost(genotype, self.resource)

    @property
    def setting(self) -> str:
        """Return the name by which the limit was given."""
        return "constraint.limit"

    def cost(self, genotype: Genotype) -> str:
        """Return what a genotype costs, as text."""
        cost = self.space.cost(genotype, self.resource)
        return f"{cost:,.0f}" if self.resource in COUNTED else f"{cost:.3g} ms"

    def chain(self) -> Chain | None:
        if not isinstance(self.space, AdditiveCosts) or self.resource not in self.space.additive:
            return None
        return Chain(self.space.chain(self.resource), self.limit)

    def relaxed(self) -> Sequence[Chain] | None:
        if not isinstance(self.space, RelaxedCosts) or self.resource not in self.space.additive:
            return None
        return (Chain(self.space.relaxed_chain(self.resource), self.limit),)

    def remark(self) -> str | None:
        """Return what a user should know of the limit: that it limits nothing, or so far nothing."""
        if self.extent is None:
            if self.judged < TELLING or self.refused:
                return None
            told = f"has refused none of {self.judged} architectures; it may limit nothing"
            return f"{self.setting}={self.limit:g} {told}"
        if self.extent[1] > self.limit:
            return None
        return (
            f"{self.setting}={self.limit:g} limits nothing: no architecture of the space has more than "
            f"{self.extent[1]:,.0f} {self.resource}"
        )

    def refusal(self, refused: Iterable[Genotype]) -> RequestError:
        cheapest = max(refused, key=self.margin)
        least = f"has {self.extent[0]:,.0f}" if self.extent else f"of them has {self.cost(cheapest)}"
        return RequestError(
            f"{self.setting}={self.limit:g}: none of {self.tries} sampled architectures has "
            f"{SO_LITTLE[self.resource]}; the cheapest {least}, raise the limit or constraint.tries"
        )


def extent(tables: Sequence[Sequence[Sequence[float]]]) -> tuple[float, float]:
    """Return the least and the greatest sum of one entry of each table along a path."""
    least = most = [0.0] * len(tables[0])
    for table in tables:
        columns = range(len(table[0]))
        least = [min(before + row[b] for before, row in zip(least, table, strict=True)) for b in columns]
        most = [max(before + row[b] for before, row in zip(most, table, strict=True)) for b in columns]
    return min(least), max(most)
