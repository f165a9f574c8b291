"""What an architecture costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from nasctl.core.data import Genotype, Task
from nasctl.core.space import SearchSpace, TrainableSpace

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ResourceContext:
    """What every resource works with, besides its settings."""

    space: SearchSpace
    task: Task
    device: torch.device


@dataclass(frozen=True)
class NetworkResourceContext(ResourceContext):
    """The context of a resource that builds networks."""

    space: TrainableSpace


class Resource(Protocol):
    """What a network costs: counted, looked up or measured. A limit, a reward and `nasctl compare` take it by name."""

    @property
    def name(self) -> str:
        """Return the name by which settings and records know it."""

    @property
    def unit(self) -> str:
        """Return the unit of its figures, as "ms"."""

    def __call__(self, genotype: Genotype) -> float:
        """Return what the final form of a genotype costs."""

    def facts(self, genotype: Genotype) -> Mapping[str, Any]:
        """Return what result.json says of a network beyond its cost."""


@runtime_checkable
class Measured(Protocol):
    """A resource whose figures are measured once and kept in the run, so that a resumed search meets the same ones."""

    device: torch.device  # on which it measures
    keep: Callable[[Mapping[str, Any]], None]  # takes ``record()``; called before a new figure is used

    def undisturbed(self) -> AbstractContextManager[None]:
        """Return the context in which it measures, with its threads."""

    def record(self) -> Mapping[str, Any]:
        """Return all that was measured, as plain data."""

    def load(self, record: Mapping[str, Any]) -> None:
        """Take over what ``record`` returned."""
