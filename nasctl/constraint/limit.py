"""An upper limit on a resource: what a network costs without training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import PositiveFloat, PositiveInt

from nasctl.core import AdditiveCosts, Chain, ConstraintContext, Genotype, RelaxedCosts, Resource
from nasctl.errors import RequestError, unknown

TELLING = 20  # architectures, of which a limit that is of use is likely to refuse one


class Limit:
    """Accepts genotypes whose ``resource``, of the final form, is at most ``limit``.

    A limit that no architecture meets is a `RequestError`, at once where the space's costs are sums over
    neighbouring decisions, otherwise after ``tries`` samples.
    """

    def __init__(
        self,
        context: ConstraintContext,
        *,
        resource: str,
        limit: PositiveFloat,
        tries: PositiveInt,
    ) -> None:
        self.space, self.name, self.limit, self.tries = context.space, resource, limit, tries
        self.resource = self._found(context)
        self.resources: tuple[str, ...] = (resource,)
        chain = self.chain()
        self.extent = extent(chain.tables) if chain else None
        self.judged = self.refused = 0
        if self.extent and self.extent[0] > limit:
            raise RequestError(
                f"{self.setting}={limit:g}: no architecture of the space is within it; the cheapest has "
                f"{amount(self.resource, self.extent[0])}, raise the limit"
            )

    def _found(self, context: ConstraintContext) -> Resource:
        if self.name not in context.resources:
            raise unknown("constraint.resource", self.name, context.resources)
        return context.resources[self.name]

    def __call__(self, genotype: Genotype) -> bool:
        accepted = self.margin(genotype) >= 0
        self.judged, self.refused = self.judged + 1, self.refused + (not accepted)
        return accepted

    def margin(self, genotype: Genotype) -> float:
        """Return how much of the limit is left, in the resource's unit; negative if it is exceeded."""
        return self.limit - self.resource(genotype)

    @property
    def setting(self) -> str:
        """Return the name by which the limit was given."""
        return "constraint.limit"

    def cost(self, genotype: Genotype) -> str:
        """Return what a genotype costs, as text."""
        return amount(self.resource, self.resource(genotype))

    def chain(self) -> Chain | None:
        if not isinstance(self.space, AdditiveCosts) or self.name not in self.space.additive:
            return None
        return Chain(self.space.chain(self.name), self.limit)

    def relaxed(self) -> Sequence[Chain] | None:
        if not isinstance(self.space, RelaxedCosts) or self.name not in self.space.additive:
            return None
        return (Chain(self.space.relaxed_chain(self.name), self.limit),)

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
            f"{amount(self.resource, self.extent[1])}"
        )

    def refusal(self, refused: Iterable[Genotype]) -> RequestError:
        cheapest = max(refused, key=self.margin)
        known = f"has {amount(self.resource, self.extent[0])}" if self.extent else f"of them has {self.cost(cheapest)}"
        return RequestError(
            f"{self.setting}={self.limit:g}: none of {self.tries} sampled architectures is within it; the cheapest "
            f"{known}, raise the limit or constraint.tries"
        )


def amount(resource: Resource, cost: float) -> str:
    """Return a cost with its unit, as text."""
    return f"{cost:,.0f} {resource.unit}" if float(cost).is_integer() else f"{cost:.3g} {resource.unit}"


def extent(tables: Sequence[Sequence[Sequence[float]]]) -> tuple[float, float]:
    """Return the least and the greatest sum of one entry of each table along a path."""
    least = most = [0.0] * len(tables[0])
    for table in tables:
        columns = range(len(table[0]))
        least = [min(before + row[b] for before, row in zip(least, table, strict=True)) for b in columns]
        most = [max(before + row[b] for before, row in zip(most, table, strict=True)) for b in columns]
    return min(least), max(most)
