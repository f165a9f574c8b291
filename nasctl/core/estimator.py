"""What a candidate is worth without its full training: the protocols of estimators and what they are built from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from nasctl.core.data import Architecture, Candidate, Evaluation, Genotype, Metrics, ProgressCallback, State
from nasctl.core.dataset import Dataset
from nasctl.core.space import SearchSpace, SharedWeightSpace, TrainableSpace
from nasctl.core.trainer import Trainer

if TYPE_CHECKING:
    import torch


class Estimator(Protocol):
    """Performance estimation: the metrics of a candidate, without its full training.

    An evaluation is a function of seed, index and candidate, of a child's stored state where the candidate names one,
    and of the shared weights where there are any. Each class says which random numbers it uses.
    """

    takes_relaxed: bool  # can evaluate a candidate with weights
    error_kind: str  # the kind of its error: "proxy", "short training", ...

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        """Return the metrics of the candidate of trial ``index``, with its loss if it has weights.

        `TrialError` where this candidate alone fails, with the work that it took.
        """

    def fingerprint(self) -> Mapping[str, str]:
        """Return hashes of what it reads: of the data and the split's indices, or of a table."""

    def facts(self) -> Mapping[str, Any]:
        """Return what result.json says of the estimate beyond the settings."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


@runtime_checkable
class WeightSharing(Protocol):
    """An estimator whose candidates share weights: one candidate at a time, in turn with ``fit``."""

    def fit(self, sample: Callable[[], Candidate]) -> Mapping[str, Any] | None:
        """Take one step of training the shared weights, if one is due; return values to show while more are due, else
        None. The state is whole between steps."""

    def score(self, candidate: Candidate) -> Metrics:
        """Return the metrics of a picked candidate: a function of it and of the weights, which stay as they are."""

    def spent(self) -> tuple[float, int]:
        """Return the passes of the shared weights over their training data so far, and the multiply-accumulates."""


@runtime_checkable
class LookUp(Protocol):
    """An estimator that looks results up, so that hundreds of repeats and whole spaces are cheap."""

    def look_up(self, arch: Architecture) -> Metrics:
        """Return the metrics of an architecture."""


@runtime_checkable
class Covering(Protocol):
    """An estimator that may know a part of the space only; strategies ask for no other architecture."""

    partial: bool  # whether there may be architectures that it does not cover

    def covers(self, arch: Architecture) -> bool:
        """Return whether ``arch`` can be evaluated."""


@dataclass(frozen=True)
class EstimatorContext:
    """What every estimator works with, besides its settings."""

    space: SearchSpace
    data: Dataset
    device: torch.device
    seed: int
    report: ProgressCallback
    children: ChildStates | None = None  # where states of children are kept; None: they are not


class ChildStates(Protocol):
    """The states of the children of a search, by the index of their trial; in a run they lie in its directory."""

    wanted: bool  # whether the strategy continues children, or lets them inherit weights

    def save(self, index: int, state: State) -> None:
        """Write the state of a child, whole or not at all."""

    def load(self, index: int) -> State:
        """Return the state of a child; `RequestError` where there is none."""

    def retain(self, indexes: Collection[int]) -> None:
        """Have all other states deleted, as soon as no checkpoint needs them."""


@runtime_checkable
class KeepsChildren(Protocol):
    """An estimator that keeps the states of its children, goes on from them and hands their weights down."""

    def retain(self, indexes: Collection[int]) -> None:
        """Keep the states of these trials; others are deleted as soon as no checkpoint needs them."""


@runtime_checkable
class TrainsEach(Protocol):
    """An estimator that trains each candidate with a trainer of its own, so that a space may choose its settings."""

    def trainer_with(self, settings: Mapping[str, Any]) -> Trainer:
        """Return the trainer with other ``settings``, or raise `RequestError` where these are none of its."""


@dataclass(frozen=True)
class TrainableContext(EstimatorContext):
    """The context of an estimator that trains networks one by one."""

    space: TrainableSpace


@dataclass(frozen=True)
class SharedWeightContext(EstimatorContext):
    """The context of an estimator that trains shared weights."""

    space: SharedWeightSpace


@runtime_checkable
class KnownBySettings(Protocol):
    """An estimator's class that tells what it reads from its settings alone, so that none need be built."""

    @classmethod
    def reads(cls, settings: Mapping[str, Any], dataset: Dataset) -> Mapping[str, str]:
        """Return the ``fingerprint`` of an estimator with these settings."""


@runtime_checkable
class GivesCosts(Protocol):
    """An estimator's class whose table has costs, which then count in place of those of the space's networks."""

    @classmethod
    def costs(cls, settings: Mapping[str, Any], space: SearchSpace) -> Mapping[str, Callable[[Genotype], float]]:
        """Return what each cost is read by, by its name, as ``params``; nothing is read before one is called."""
