"""The search loop, for all strategies and estimators."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import PositiveFloat, PositiveInt

from nasctl.core import (
    Architecture,
    Candidate,
    Constraint,
    Dataset,
    Estimator,
    Evaluation,
    ExhaustedError,
    Metrics,
    RequestError,
    Reward,
    SearchSpace,
    State,
    Strategy,
    Tick,
    Trial,
    TrialError,
)

Append = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What ends a search: candidates evaluated, or passes of the shared weights over their data."""

    trials: PositiveInt | None
    epochs: PositiveFloat | None

    def share(self, trials: int, epoch: float) -> float:
        """Return the part of the budget that is spent; from 1 on it is used up."""
        spent = ((trials, self.trials), (epoch, self.epochs))
        return max(done / limit for done, limit in spent if limit is not None)


class SearchData:
    """A data set as a search sees it: everything but the test split."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __getattr__(self, name: str) -> Any:
        if name == "test":
            raise AttributeError("a search cannot reach the test split; only retrain can")
        return getattr(self._dataset, name)


class Feasible:
    """A constraint as strategies see it: on architectures."""

    def __init__(self, space: SearchSpace, constraint: Constraint) -> None:
        self.space, self.constraint, self.tries = space, constraint, constraint.tries

    def __call__(self, arch: Architecture) -> bool:
        return self.constraint(self.space.genotype(arch))

    def refusal(self, refused: Sequence[Architecture]) -> RequestError:
        return self.constraint.refusal(self.space.genotype(arch) for arch in refused)


class Search:
    """Fit, ask, evaluate, tell, record, until the budget is spent."""

    def __init__(
        self,
        space: SearchSpace,
        strategy: Strategy,
        estimator: Estimator,
        reward: Reward,
        budget: Budget,
        append: Append,
        record_every: int,
    ) -> None:
        self.space, self.strategy, self.estimator, self.reward = space, strategy, estimator, reward
        self.budget, self.append, self.record_every = budget, append, record_every
        self.trials = 0

    def run(self, tick: Tick) -> None:
        """Search; ``tick`` is called between trials, where the state is whole."""
        while True:
            self.estimator.fit(self.strategy.sample)
            if self.budget.share(self.trials, self.estimator.epoch) >= 1:
                return
            try:
                candidate = self.strategy.ask()
            except ExhaustedError:
                return
            if candidate is not None:
                trial = self._evaluate(candidate)
                self.strategy.tell(trial)
                self._record(trial)
                tick(self.state_dict, self._shown(trial))

    def _evaluate(self, candidate: Candidate) -> Trial:
        try:
            evaluation = self.estimator.evaluate(candidate)
        except TrialError as error:
            return Trial(self.trials, candidate, None, float("-inf"), str(error))
        return Trial(self.trials, candidate, evaluation, self.reward(evaluation.metrics))

    def _record(self, trial: Trial) -> None:
        if trial.index % self.record_every == 0 or trial.error is not None:
            self.append("trials.jsonl", trial_line(trial))
        self.trials += 1

    def _shown(self, trial: Trial) -> dict[str, Any]:
        metrics = trial.evaluation.metrics if trial.evaluation else {}
        return {
            "phase": "search",
            "share": self.budget.share(self.trials, self.estimator.epoch),
            "trial": trial.index,
            "epoch": round(self.estimator.epoch, 2) or None,
            "loss": metrics.get("loss"),
            "error": metrics.get("error"),
            **self.space.features(self.space.genotype(trial.candidate.arch)),
            "entropy": lambda: entropy(trial.candidate),
        }

    def score(self, arch: Architecture, lines: Sequence[Mapping[str, Any]]) -> Metrics:
        """Return the metrics of ``arch``: those recorded when it was picked, else of an evaluation now."""
        picked = (line for line in lines if not line["relaxed"] and line["error"] is None)
        told = [line for line in picked if tuple(line["arch"]) == arch]
        if told:
            return max(told, key=lambda line: line["reward"])["metrics"]
        evaluation: Evaluation = self.estimator.evaluate(Candidate(arch))
        return evaluation.metrics

    def state_dict(self) -> State:
        parts = {"strategy": self.strategy.state_dict(), "estimator": self.estimator.state_dict()}
        return parts | {"trials": self.trials}

    def load_state_dict(self, state: State) -> None:
        self.strategy.load_state_dict(state["strategy"])
        self.estimator.load_state_dict(state["estimator"])
        self.trials = state["trials"]


def trial_line(trial: Trial) -> dict[str, Any]:
    """Return a line of trials.jsonl; nothing in it depends on a clock."""
    return {
        "index": trial.index,
        "arch": list(trial.candidate.arch),
        "relaxed": trial.candidate.weights is not None,
        "reward": trial.reward if math.isfinite(trial.reward) else None,
        "metrics": dict(trial.evaluation.metrics) if trial.evaluation else None,
        "error": trial.error,
    }


def entropy(candidate: Candidate) -> float | None:
    """Return the mean entropy of the relaxed rows in nats; None for a picked architecture."""
    if candidate.weights is None:
        return None
    entropies = [-(row * row.clamp_min(1e-12).log()).sum().detach() for row in candidate.weights]
    return float(sum(entropies)) / len(entropies)
