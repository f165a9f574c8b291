"""What a space can do: small protocols, of which a class meets those that fit it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from nasctl.core.data import Architecture, Decision, Edge, Genotype, RelaxedChoice, Remark, Tables, ignore

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class Choices(Protocol):
    """The side of a space that strategies see: a walk, decision by decision (see `nasctl.walk`).

    An architecture is any prefix of a walk after which a network may be built, so that a strategy may stop before
    the walk ends. ``size`` is the number of architectures, None where counting would visit every walk.
    """

    @property
    def size(self) -> int | None: ...

    def decision(self, prefix: Sequence[int]) -> Decision | None:
        """Return the decision that follows ``prefix``; None where the walk ends."""

    def complete(self, prefix: Sequence[int]) -> bool:
        """Return whether ``prefix`` is an architecture: a network may be built from it."""


@runtime_checkable
class Relaxation(Protocol):
    """A space whose supernet can mix the options of each of its ``relaxed_choices``."""

    relaxed_choices: tuple[RelaxedChoice, ...]

    def discretize(self, weights: Sequence[Tensor]) -> Architecture:
        """Return the architecture that a mixture of each relaxed choice points to."""

    def relaxed_path(self, arch: Architecture) -> Sequence[int]:
        """Return the option of each relaxed choice that ``arch`` runs; from these options `discretize` derives it."""


@runtime_checkable
class AdditiveCosts(Protocol):
    """A space some of whose costs are sums over neighbouring decisions."""

    additive: Collection[str]  # names of those costs

    def chain(self, name: str) -> Tables:
        """Return what neighbouring decisions cost together; see `Chain`."""


@runtime_checkable
class RelaxedCosts(Protocol):
    """A space some of whose costs are sums over neighbouring relaxed choices: a mixture has an expected cost."""

    additive: Collection[str]  # names of those costs

    def relaxed_chain(self, name: str) -> Tables:
        """Return what neighbouring relaxed choices cost together; see `Chain`."""


@runtime_checkable
class BatchedBuild(Protocol):
    """A space whose networks can be trained side by side, as one."""

    def stack(self, networks: Sequence[Any]) -> Any:
        """Return a network of ``networks`` side by side, which do not touch each other."""


@runtime_checkable
class RecurrentNetwork(Protocol):
    """A network that reads a text and carries a hidden state from one part of it to the next, or a layer of one."""

    def init_hidden(self, batch: int) -> Any:
        """Return the hidden state that a text begins with, for ``batch`` columns."""


@runtime_checkable
class FixedChoices(Protocol):
    """A space each of whose walks takes all ``decisions``, with all their options, whatever was decided before.

    Vectorized code, independent logits and enumeration read the decisions once.
    """

    decisions: tuple[Decision, ...]

    @property
    def size(self) -> int: ...

    def decision(self, prefix: Sequence[int]) -> Decision | None:
        """Return the decision whose position is the length of ``prefix``; None after the last."""

    def complete(self, prefix: Sequence[int]) -> bool:
        """Return whether ``prefix`` has taken all decisions."""


@runtime_checkable
class ChoicesByKind(Protocol):
    """A space whose walks differ, and which lists the kinds of its decisions for learners that have a part for each."""

    kinds: Sequence[Decision]  # one of each kind, without those that have inputs


@runtime_checkable
class TabularState(Protocol):
    """A space that says which walks are alike, for learners that keep a table."""

    def state(self, prefix: Sequence[int]) -> Hashable:
        """Return the state after ``prefix``: equal states have equal decisions ahead."""


@runtime_checkable
class ChoosesTraining(Protocol):
    """A space composed with training choices: some of its decisions name settings of the trainer."""

    def training(self, arch: Architecture) -> Mapping[str, Any]:
        """Return the settings of the trainer that ``arch`` names, by their path, as ``schedule.lr_min``."""

    def trainings(self) -> Iterable[Mapping[str, Any]]:
        """Return the settings that may come, for a check before anything is trained."""


class GenotypeFormat(Protocol):
    """What the genotypes of a family look like: one object a family. Its module does not import torch."""

    @property
    def family(self) -> str:
        """Return the name of the family, which is that of the folder of its published genotypes."""

    @property
    def marks(self) -> Sequence[str]:
        """Return what a genotype in a longer text begins with: calls, as Genotype; "|" or "["."""

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        """Return the one genotype that ``text`` holds in a notation of the family, or raise `RequestError`."""

    def canonical(self, genotype: Genotype) -> Genotype:
        """Return the form that all genotypes of the same network share: runs and tables are told apart by it."""

    def notation(self, genotype: Genotype) -> str:
        """Return the family's usual notation; ``parse`` reads it back."""

    def check(self, genotype: Genotype) -> Genotype:
        """Return ``genotype`` if a network can be built from it, or raise `RequestError`."""

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        """Return countable facts worth watching during a search, such as skip connections."""

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        """Return the edges of each cell."""


class Costs(Protocol):
    """What networks cost that are built from genotypes."""

    def cost(self, genotype: Genotype, name: str) -> float:
        """Return ``params`` (trainable, no auxiliary head) or ``macs`` (multiply-accumulates of one
        example) of the final form."""


class SearchSpace(Choices, Costs, Protocol):
    """Which architectures exist, what they are called and cost: what a search and its records need of a space."""

    @property
    def format(self) -> GenotypeFormat: ...

    @property
    def num_operations(self) -> int:
        """Return how many operations there are to choose from."""

    def genotype(self, arch: Architecture) -> Genotype:
        """Return the genotype that ``arch`` stands for."""


@runtime_checkable
class Builder(Protocol):
    """A space whose genotypes become networks."""

    def build(self, genotype: Genotype, form: str, **size: int) -> nn.Module:
        """Return a network in the form ``search`` or ``final``; ``size`` replaces parts of the form."""

    def count(self, network: nn.Module) -> Mapping[str, int]:
        """Return ``params`` and ``macs`` of a network of this space that lies on the meta device."""


@runtime_checkable
class PathSupernet(Protocol):
    """A space with a network that holds the weights of all its architectures."""

    def supernet(self, **size: int) -> nn.Module:
        """Return that network, ``forward(x, candidate) -> logits``, of the form ``search``; ``size`` replaces parts
        of it. For language x is a `TextSegment`."""


class TrainableSpace(SearchSpace, Builder, Protocol):
    """A search space whose architectures can be trained one by one."""


class SharedWeightSpace(SearchSpace, Builder, PathSupernet, Protocol):
    """A search space whose architectures can be trained with shared weights."""


class BatchedSpace(SearchSpace, FixedChoices, Builder, BatchedBuild, Protocol):
    """A search space whose architectures can be trained side by side."""

    @property
    def size(self) -> int: ...


@runtime_checkable
class Inheritance(Protocol):
    """A space whose networks take over the weights of a parent of another architecture and keep its function.

    In other spaces tensors of equal name and shape are copied.
    """

    def inherit(
        self,
        network: nn.Module,
        genotype: Genotype,
        parent_genotype: Genotype,
        parent_weights: Mapping[str, Tensor],
        generator: torch.Generator,
    ) -> int:
        """Set the weights of ``network``, of ``genotype``; return how many of its tensors the parent gave."""


class FixedSpace(SearchSpace, FixedChoices, Protocol):
    """A search space each of whose walks takes the same decisions."""

    @property
    def size(self) -> int: ...
