"""A resource that the space counts itself, by formula or on the meta device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nasctl.core import Genotype, ResourceContext


class Counted:
    """The cost that the space has under the resource's name; it may be a sum over decisions (`AdditiveCosts`)."""

    name: str

    def __init__(self, context: ResourceContext) -> None:
        self.space = context.space

    def __call__(self, genotype: Genotype) -> float:
        return self.space.cost(genotype, self.name)

    def facts(self, genotype: Genotype) -> Mapping[str, Any]:
        return {}
