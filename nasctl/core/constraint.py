"""Which architectures are within a limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nasctl.core.data import Chain, Genotype
from nasctl.core.resource import Resource
from nasctl.core.space import SearchSpace
from nasctl.errors import RequestError


@dataclass(frozen=True)
class ConstraintContext:
    """What every constraint works with, besides its settings."""

    space: SearchSpace
    resources: Mapping[str, Resource]  # by name: those that settings of this problem name, and those of records


class Constraint(Protocol):
    """Whether a genotype is within the limit."""

    resources: tuple[str, ...]  # costs of the final form that it limits
    tries: int  # samples to draw before the limit is called impossible

    def __call__(self, genotype: Genotype) -> bool: ...

    def margin(self, genotype: Genotype) -> float | None:
        """Return how much of the limit is left; None without a limit."""

    def refusal(self, refused: Iterable[Genotype]) -> RequestError:
        """Return the error for a limit that none of the sampled genotypes meets."""

    def chain(self) -> Chain | None:
        """Return the limit as sums over neighbouring decisions; None where it is not of that form."""

    def relaxed(self) -> Sequence[Chain] | None:
        """Return the limits as sums over neighbouring relaxed choices; None if one is no such sum."""

    def remark(self) -> str | None:
        """Return what a user should be warned of; None if nothing."""
