"""One child of a search: a network, its training up to some epoch, and the state that a later child goes on from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from nasctl.core import (
    Architecture,
    Candidate,
    Dataset,
    EstimatorContext,
    Inheritance,
    Metrics,
    State,
    StepCallback,
    TrainableSpace,
    Trainer,
    TrainingSession,
)
from nasctl.errors import RequestError, StateError
from nasctl.estimator._work import PASS


@dataclass(frozen=True)
class Course:
    """How children are trained and validated."""

    trainer: Trainer
    epochs: int  # of the schedule
    validate_every: int | None  # epochs
    report: str  # last | best | mean
    report_of: int | None  # validations; None: all

    def stop(self, candidate: Candidate) -> int:
        """Return the epoch at which a candidate's training ends."""
        return max(1, round(self.epochs * (candidate.fidelity or 1.0)))

    def first(self, earlier: State, candidate: Candidate, index: int) -> int:
        """Return the first trial of a training that is continued; `RequestError` unless the candidate may do so."""
        place = f"strategy: trial {index} continues trial {candidate.continues}"
        if tuple(earlier["arch"]) != candidate.arch:
            raise RequestError(f"{place}, which is of another architecture; give it as inherits=")
        if earlier["schedule"] != self.epochs or earlier["epochs"] > self.stop(candidate):
            raise RequestError(
                f"{place}, which has {earlier['epochs']} of {earlier['schedule']} epochs behind it, up to epoch "
                f"{self.stop(candidate)} of {self.epochs}; raise the candidate's fidelity"
            )
        return int(earlier["first"])

    def reported(self, curve: Sequence[Metrics]) -> Metrics:
        """Return the metrics of a child with these validations."""
        last = [{name: value for name, value in line.items() if name != "epoch"} for line in curve]
        last = last if self.report_of is None else last[-self.report_of :]
        if self.report == "mean":
            return {name: sum(line[name] for line in last) / len(last) for name in last[0]}
        return min(last, key=lambda line: (line.get("error", 0.0), line["loss"])) if self.report == "best" else last[-1]


KINDS = {
    **{"arch": list, "first": int, "schedule": int, "epochs": int},
    **{"curve": list, "training": dict, "weights": dict},
}


def checked(record: State, index: int) -> State:
    """Return the record of a child, or raise `StateError` where it is none."""
    right = isinstance(record, dict) and {key: type(value) for key, value in record.items()} == KINDS
    if not (right and all(map(_is_line, record["curve"])) and all(map(_is_tensor, record["weights"].values()))):
        raise StateError(f"children/{index}.pt holds no state of a child")
    return record


def _is_line(line: object) -> bool:
    """Return whether ``line`` is one of a curve."""
    return isinstance(line, dict) and "epoch" in line and all(isinstance(value, int | float) for value in line.values())


def _is_tensor(value: object) -> bool:
    return isinstance(value, torch.Tensor)


class Child:
    """Trains ``network`` from ``earlier``, the record of a child, if there is one, to the epoch ``stop``.

    ``first`` is the trial whose seed it has; ``curve`` holds its validations, those of ``earlier`` included.
    """

    def __init__(
        self,
        network: nn.Module,
        arch: Architecture,
        course: Course,
        first: int,
        seed: int,
        stop: int,
        earlier: State | None,
    ) -> None:
        self.network, self.arch, self.course = network, arch, course
        self.first, self.seed, self.stop = first, seed, stop
        self.start = 0 if earlier is None else earlier["epochs"]
        self.curve: list[dict[str, float]] = [] if earlier is None else [dict(line) for line in earlier["curve"]]
        self.training: State | None = None if earlier is None else earlier["training"]
        self.facts: dict[str, float] = {}
        self.keeps = False  # whether the state after the last step is wanted
        self.ended = self.start  # epochs
        self.validations = 0

    def inherit(self, space: TrainableSpace, parent: State, generator: torch.Generator) -> None:
        """Take over the weights of ``parent``, the record of a child."""
        weights = parent["weights"]
        if isinstance(space, Inheritance):
            mine, theirs = space.genotype(self.arch), space.genotype(tuple(parent["arch"]))
            count = space.inherit(self.network, mine, theirs, weights, generator)
        else:
            count = copy_equal(self.network, weights)
        self.facts = {"inherited_tensors": count}

    def train(self, context: EstimatorContext, index: int) -> Metrics:
        """Return the metrics after the training."""
        session = TrainingSession(
            seed=self.seed,
            schedule_epochs=self.course.epochs,
            stop_epoch=self.stop,
            on_step=self._on_step(context, index),
            on_epoch=lambda epoch: self._after(epoch + 1, context.data),
            record=self._count,
            state=self.training,
        )
        self.course.trainer.fit(self.network.to(context.device), context.data, context.data.train(), session)
        self._validate(self.stop, context.data)
        return self.course.reported(self.curve)

    def _on_step(self, context: EstimatorContext, index: int) -> StepCallback:
        def on_step(state: Callable[[], State], values: Mapping[str, Any]) -> None:
            if self.keeps and self.ended == self.stop:
                self.training = deepcopy(state())  # the trainer then leaves the weights to keep in the network
            context.report({**values, "phase": f"candidate {index}", "share": None, "trial_share": values["share"]})

        return on_step

    def _count(self, line: Mapping[str, Any]) -> None:
        self.ended += 1

    def _after(self, epoch: int, dataset: Dataset) -> None:
        """Validate after an epoch that is not the last, where that is due."""
        every = self.course.validate_every
        if every is not None and epoch % every == 0 and epoch < self.stop:
            self._validate(epoch, dataset)

    def _validate(self, epoch: int, dataset: Dataset) -> None:
        if self.curve and self.curve[-1]["epoch"] == epoch:
            return  # the child that is continued ended here
        self.validations += 1
        metrics = self.course.trainer.evaluate(self.network, dataset, dataset.val())
        self.curve.append({"epoch": epoch, **metrics})

    def work(self, space: TrainableSpace, dataset: Dataset) -> int:
        """Return the work of a network that is no longer needed: it moves to the meta device to be counted."""
        trained = (min(self.ended + 1, self.stop) - self.start) * len(dataset.train())  # with the epoch that diverged
        validated = self.validations * len(dataset.val())
        return int(space.count(self.network.to("meta"))["macs"]) * (PASS * trained + validated)

    def record(self) -> State:
        """Return all that a later child needs to go on from this one, or to inherit from it."""
        state = self.training or {}
        return {
            **{"arch": list(self.arch), "first": self.first, "schedule": self.course.epochs, "epochs": self.stop},
            **{"curve": self.curve, "training": state, "weights": dict(self.network.state_dict())},
        }


def copy_equal(network: nn.Module, weights: Mapping[str, torch.Tensor]) -> int:
    """Copy the tensors whose name and shape ``network`` has too; return how many these are."""
    own = network.state_dict()
    equal = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    network.load_state_dict(equal, strict=False)
    return len(equal)
