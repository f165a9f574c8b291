"""Does the ranking hold: the same architectures scored with shared weights, and each trained on its own.

Yu et al. 2020, https://arxiv.org/abs/1902.08142. What is written down are the scores; `nasctl.report.correlation` makes
statistics of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Any, Protocol

import torch

from nasctl import walk
from nasctl.core import (
    Architecture,
    Candidate,
    Estimator,
    Feasible,
    Reward,
    SearchSpace,
    State,
    StepCallback,
    TestedDataset,
    TrainableSpace,
    Trainer,
    TrainingSession,
)
from nasctl.errors import RequestError, StateError, TrialError
from nasctl.retrain import retrain
from nasctl.search.loop import Append
from nasctl.search.shared_weights import SharedWeights
from nasctl.seeds import position_seed

ENUMERATED = 8  # a space of fewer architectures for each that is wanted is walked through instead of sampled


class Training(Protocol):
    """What an architecture is worth once it is trained on its own."""

    def __call__(self, index: int, arch: Architecture, tick: StepCallback, state: State | None) -> float:
        """Return the quality of the architecture ``index``, higher is better.

        It goes on from ``state``, which ``tick`` was given, if there is one.
        """


class Retrained:
    """Trains the final form from scratch and tests it, as `nasctl retrain` does."""

    def __init__(
        self,
        space: TrainableSpace,
        trainer: Trainer,
        dataset: TestedDataset,
        reward: Reward,
        device: torch.device,
        seed: int,
    ) -> None:
        self.space, self.trainer, self.dataset, self.reward = space, trainer, dataset, reward
        self.device, self.seed = device, seed

    def __call__(self, index: int, arch: Architecture, tick: StepCallback, state: State | None) -> float:
        session = TrainingSession(seed=self.seed, on_step=tick, record=lambda line: None, state=state)
        genotype = self.space.genotype(arch)
        _, _, metrics = retrain(self.space, genotype, self.trainer, self.dataset, self.device, session)
        return self.reward.quality(metrics)


class Estimated:
    """Asks another estimator, such as a table of networks that were trained."""

    def __init__(self, estimator: Estimator, reward: Reward) -> None:
        self.estimator, self.reward = estimator, reward

    def __call__(self, index: int, arch: Architecture, tick: StepCallback, state: State | None) -> float:
        return self.reward.quality(self.estimator.evaluate(Candidate(arch), index).metrics)


class Correlation:
    """Scores architectures one after the other, and has each trained ``len(trainings)`` times.

    ``append`` gets a line an architecture for correlation.jsonl: scores by run, qualities by training, params and
    macs of the final form. A training that fails leaves no qualities, and its error.
    """

    def __init__(
        self,
        space: SearchSpace,
        archs: Sequence[Architecture],
        runs: Sequence[SharedWeights],
        trainings: Sequence[Training],
        reward: Reward,
        append: Append,
    ) -> None:
        self.space, self.archs, self.runs, self.trainings = space, archs, runs, trainings
        self.reward, self.append = reward, append
        self.lines: list[dict[str, Any]] = []  # of the architectures that are done
        self.trained: list[float] = []  # of the one under way
        self.training: State | None = None  # of its training under way

    def run(self, tick: StepCallback) -> None:
        """Score and train what is left; ``tick`` is called between steps and architectures."""
        while len(self.lines) < len(self.archs):
            line = self._measure(self.archs[len(self.lines)], tick)
            self.append("correlation.jsonl", line)
            self.lines.append(line)
            self.trained = []
            tick(self.state_dict, self._shown({}))

    def _measure(self, arch: Architecture, tick: StepCallback) -> dict[str, Any]:
        genotype = self.space.genotype(arch)
        line: dict[str, Any] = {
            "index": len(self.lines),
            "arch": list(arch),
            "notation": self.space.format.notation(genotype),
        }
        line |= {name: self.space.cost(genotype, name) for name in ("params", "macs")}
        try:
            line |= {"trained": self._train(arch, tick), "error": None}
        except TrialError as error:
            line |= {"trained": None, "error": str(error)}
        return line | {"scores": [self.reward.quality(run.score(arch)) for run in self.runs]}

    def _train(self, arch: Architecture, tick: StepCallback) -> list[float]:
        def between(state: Callable[[], State], values: Mapping[str, Any]) -> None:
            tick(lambda: self.state_dict() | {"training": state()}, self._shown(values))

        for training in self.trainings[len(self.trained) :]:
            self.trained = [*self.trained, training(len(self.lines), arch, between, self.training)]
            self.training = None
        return self.trained

    def _shown(self, values: Mapping[str, Any]) -> dict[str, Any]:
        done, total = len(self.lines), len(self.archs)
        part = (len(self.trained) + (values.get("share") or 0.0)) / len(self.trainings)
        phase = f"architecture {min(done + 1, total)} of {total}"
        return {**values, "phase": phase, "share": min((done + part) / total, 1.0)}

    def state_dict(self) -> State:
        return {"lines": self.lines, "trained": self.trained, "training": self.training}

    def load_state_dict(self, state: State) -> None:
        lines, trained, training = state["lines"], state["trained"], state["training"]
        if not (_is_list_of(lines, dict) and _is_list_of(trained, int | float) and isinstance(training, dict | None)):
            raise StateError("lines, trained and training are not a list of lines, a list of numbers and a state")
        if len(lines) > len(self.archs) or len(trained) > len(self.trainings):
            raise StateError(f"{len(lines):,} lines and {len(trained):,} trainings are more than were asked for")
        self.lines, self.trained, self.training = list(lines), list(trained), training


def _is_list_of(values: object, kind: type | UnionType) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def sampled(space: SearchSpace, feasible: Feasible, count: int, seed: int) -> list[Architecture]:
    """Return ``count`` different architectures, uniform over those that are feasible, or raise `RequestError`."""
    draw = torch.Generator().manual_seed(position_seed(seed, "correlation"))
    if space.size is not None and count * ENUMERATED > space.size:
        return _shuffled([arch for arch in walk.every(space) if feasible(arch)], space, count, draw)
    found: dict[Architecture, None] = {}
    missed: list[Architecture] = []  # since the last one that was new
    while len(found) < count:
        arch = walk.uniform(space, draw)
        if arch not in found and feasible(arch):
            found[arch], missed = None, []
            continue
        missed.append(arch)
        if len(missed) >= feasible.tries:
            raise _too_few(space, feasible, count, missed, len(found))
    return list(found)


def _shuffled(
    archs: Sequence[Architecture], space: SearchSpace, count: int, draw: torch.Generator
) -> list[Architecture]:
    if len(archs) < count:
        raise RequestError(
            f"correlation.n={count}: {len(archs):,} of the {space.size:,} architectures are within the constraint and "
            "known; lower it"
        )
    return [archs[i] for i in torch.randperm(len(archs), generator=draw)[:count].tolist()]


def _too_few(
    space: SearchSpace, feasible: Feasible, count: int, missed: Sequence[Architecture], found: int
) -> RequestError:
    if not found:
        return feasible.refusal(missed)
    return RequestError(
        f"correlation.n={count}: {len(missed):,} samples after the {found:,}th brought no other architecture of the "
        f"{space.size:,} that is within the constraint and known; lower it or raise constraint.tries"
    )
