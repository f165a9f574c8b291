"""A resource: the kilobytes that the weights of a network take on a device."""

from collections.abc import Mapping
from typing import Any

from nasctl.core import Genotype, ResourceContext


class Storage:
    """The trainable weights of the final form, ``bits`` each."""

    name, unit = "storage", "kB"

    def __init__(self, context: ResourceContext, *, bits: int) -> None:
        self.space, self.bits = context.space, bits

    def __call__(self, genotype: Genotype) -> float:
        return self.space.cost(genotype, "params") * self.bits / 8000

    def facts(self, genotype: Genotype) -> Mapping[str, Any]:
        """Return what result.json says beyond the number."""
        return {"bits": self.bits}
