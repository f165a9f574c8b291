"""Several upper limits at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from nasctl.constraint.limit import Limit
from nasctl.core import Chain, ConstraintContext, Genotype
from nasctl.errors import RequestError


class Part(Limit):
    """One of several limits."""

    @property
    def setting(self) -> str:
        return f"constraint.limits.{self.name}"


class Several:
    """Accepts genotypes within each of ``limits``, a limit by resource; see `Limit`."""

    def __init__(
        self,
        context: ConstraintContext,
        *,
        limits: Annotated[dict[str, PositiveFloat], Field(min_length=1)],
        tries: PositiveInt,
    ) -> None:
        self.tries = tries
        self.resources: tuple[str, ...] = tuple(limits)
        self.limits = [Part(context, resource=name, limit=limit, tries=tries) for name, limit in limits.items()]

    def __call__(self, genotype: Genotype) -> bool:
        return all(limit(genotype) for limit in self.limits)

    def margin(self, genotype: Genotype) -> float:
        """Return how much of the scarcest limit is left, as a share of it; negative if one is exceeded."""
        return min(limit.margin(genotype) / limit.limit for limit in self.limits)

    def chain(self) -> Chain | None:
        return self.limits[0].chain() if len(self.limits) == 1 else None

    def relaxed(self) -> Sequence[Chain] | None:
        found = [limit.relaxed() for limit in self.limits]
        return None if None in found else [chain for chains in found for chain in chains or ()]

    def remark(self) -> str | None:
        """Return which of the limits limit nothing."""
        return "; ".join(remark for limit in self.limits if (remark := limit.remark())) or None

    def refusal(self, refused: Iterable[Genotype]) -> RequestError:
        genotypes = list(refused)
        for limit in self.limits:
            if not any(map(limit, genotypes)):
                return limit.refusal(genotypes)
        nearest = max(genotypes, key=self.margin)
        named = ", ".join(f"{limit.limit:g} {limit.name}" for limit in self.limits)
        costs = ", ".join(f"{limit.cost(nearest)}" for limit in self.limits)
        return RequestError(
            f"constraint.limits: each is met by some of {self.tries} sampled architectures, but none meets all of "
            f"{named}; the nearest has {costs}, raise one of the limits or constraint.tries"
        )
