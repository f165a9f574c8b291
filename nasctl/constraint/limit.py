"""An upper limit on a cost that is known before any training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import PositiveFloat, PositiveInt

from nasctl.core import Chain, Genotype, RequestError, SearchSpace


class Limit:
    """Accepts genotypes whose ``resource``, counted in the final form, is at most ``limit``."""

    def __init__(
        self,
        space: SearchSpace,
        *,
        resource: Literal["params", "macs"],
        limit: PositiveFloat,
        tries: PositiveInt,
    ) -> None:
        self.space, self.resource, self.limit, self.tries = space, resource, limit, tries

    def __call__(self, genotype: Genotype) -> bool:
        return self.margin(genotype) >= 0

    def margin(self, genotype: Genotype) -> float:
        """Return how much of the limit is left, in the resource's unit; negative if it is exceeded."""
        return self.limit - self.space.cost(genotype, self.resource)

    def chain(self) -> Chain | None:
        tables = getattr(self.space, "chain", None)  # of the spaces whose costs are such sums
        return Chain(tables(self.resource), self.limit) if tables else None

    def refusal(self, refused: Iterable[Genotype]) -> RequestError:
        cheapest = min(self.space.cost(genotype, self.resource) for genotype in refused)
        return RequestError(
            f"constraint.limit={self.limit:g}: none of {self.tries} sampled architectures has so few "
            f"{self.resource}; the cheapest of them has {cheapest:,.0f}, raise the limit or constraint.tries"
        )
