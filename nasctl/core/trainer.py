"""What trains one network, and what a training is told and leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from nasctl.core.data import Metrics, State, StepCallback, nothing
from nasctl.core.dataset import Dataset, Split
from nasctl.errors import RequestError

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Trained:
    """Which weights a training left in the network.

    ``name`` is ``last`` or ``best`` (chosen on a held-out part), ``epoch`` the one, counted from 0, after which
    they were taken, ``averaged`` whether they are an average over steps; ``others`` holds those of the other name.
    ``held_out`` holds their metrics on the part to choose by, ``rolled_back`` the epochs that ended in no number and
    were undone.
    """

    name: str
    epoch: int
    averaged: bool
    others: Mapping[str, State]
    held_out: Metrics = field(default_factory=dict)
    rolled_back: Sequence[int] = ()

    def record(self) -> dict[str, Any]:
        """Return what result.json says of the weights that were tested."""
        told = {"held_out": dict(self.held_out), "rolled_back": list(self.rolled_back)}
        weights = {"name": self.name, "epoch": self.epoch, "averaged": self.averaged}
        return weights | {name: value for name, value in told.items() if value}


@dataclass(frozen=True, kw_only=True)
class TrainingSession:
    """How one call of a trainer runs.

    Learning rate, drop path and warm-up follow ``schedule_epochs`` (None: the trainer's own epochs); training ends at
    ``stop_epoch`` (None: where the schedule ends). A training that stops and goes on from its ``state`` ends with the
    weights of one that never stopped. ``on_step`` is called after each step, ``record`` with one line an epoch, before
    it ``on_epoch`` with the number of the epoch, while the weights that would be kept lie in the network. With a split
    to ``choose_by``, the best weights are those with the lowest error on it (loss where there is no error); without,
    the last are kept.
    """

    seed: int
    on_step: StepCallback
    record: Callable[[Mapping[str, Any]], None]
    on_epoch: Callable[[int], None] = nothing
    schedule_epochs: int | None = None
    stop_epoch: int | None = None
    state: State | None = None
    choose_by: Split | None = None

    def epochs(self, own: int) -> tuple[int, int]:
        """Return the epochs of the schedule, ``own`` where none are given, and the epoch at which training ends."""
        schedule = self.schedule_epochs or own
        stop = schedule if self.stop_epoch is None else self.stop_epoch
        if not 0 < stop <= schedule:
            raise RequestError(f"training: stop_epoch ({stop}) must be in 1 to schedule_epochs ({schedule})")
        return schedule, stop


class Trainer(Protocol):
    """Trains one stand-alone network."""

    held_out: float  # share of the training set to choose weights by, in [0, 1); above 0 where it needs one

    def check(self, model: nn.Module, device: torch.device) -> None:
        """Raise `RequestError` if the recipe asks for what ``model`` or ``device`` lacks."""

    def fit(self, model: nn.Module, dataset: Dataset, split: Split, session: TrainingSession) -> Trained:
        """Train ``model`` in place on ``split``, as ``session`` says."""

    def evaluate(self, model: nn.Module, dataset: Dataset, split: Split) -> Metrics:
        """Return the metrics of ``model`` on the whole split."""
