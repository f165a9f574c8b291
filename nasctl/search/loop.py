"""The search loop, for all strategies and estimators."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import PositiveFloat, PositiveInt

from nasctl.core import (
    Architecture,
    Candidate,
    Chain,
    Constraint,
    Covering,
    Dataset,
    Estimator,
    Evaluation,
    KeepsChildren,
    Metrics,
    Reporting,
    Reward,
    SearchSpace,
    Skipped,
    State,
    StepCallback,
    Strategy,
    Trial,
    UsesChildren,
    WeightSharing,
)
from nasctl.errors import ExhaustedError, RequestError, TrialError

COUNTED = ("trials", "turns", "evaluated")
Append = Callable[[str, Mapping[str, Any]], None]
Read = Callable[[str], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What ends a search: candidates evaluated, passes of the shared weights over their data, turns, or work.

    A turn asks the strategy once; it may ask for nothing, as where a sample is infeasible. Work is in
    multiply-accumulates. Each limit ends the search after the trial that reaches it, so a search may overrun
    its work by less than one trial.
    """

    trials: PositiveInt | None
    epochs: PositiveFloat | None
    turns: PositiveInt | None = None
    work: PositiveInt | None = None

    def share(self, trials: int, epoch: float, turns: int = 0, work: int = 0) -> float:
        """Return the part of the budget that is spent; from 1 on it is used up."""
        spent = ((trials, self.trials), (epoch, self.epochs), (turns, self.turns), (work, self.work))
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
    """What strategies may ask for: architectures within the constraint that the estimator covers."""

    def __init__(
        self,
        space: SearchSpace,
        constraint: Constraint,
        covers: Callable[[Architecture], bool] = lambda arch: True,
        partial: bool = False,
    ) -> None:
        self.space, self.constraint, self.covers, self.tries = space, constraint, covers, constraint.tries
        self.partial = partial  # whether there are architectures that the estimator does not cover

    def __call__(self, arch: Architecture) -> bool:
        return self.covers(arch) and self.constraint(self.space.genotype(arch))

    def refusal(self, refused: Sequence[Architecture]) -> RequestError:
        covered = [self.space.genotype(arch) for arch in refused if self.covers(arch)]
        if covered:
            return self.constraint.refusal(covered)
        return RequestError(
            f"estimator: covers none of {self.tries} sampled architectures, such as "
            f"{self.space.notation(self.space.genotype(refused[0]))}; "
            "give a table of this space or raise constraint.tries"
        )

    @classmethod
    def of(cls, space: SearchSpace, constraint: Constraint, estimator: Estimator) -> Feasible:
        """Return what a strategy may ask ``estimator`` for."""
        if isinstance(estimator, Covering):
            return cls(space, constraint, estimator.covers, estimator.partial)
        return cls(space, constraint)

    def chain(self) -> Chain | None:
        return None if self.partial else self.constraint.chain()

    def relaxed(self) -> Sequence[Chain] | None:
        return self.constraint.relaxed()


@dataclass(frozen=True)
class Found:
    """The architecture at the end of a search, its metrics, and what else result.json says."""

    arch: Architecture
    metrics: Metrics
    facts: Mapping[str, Any]


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
        self.sharing = estimator if isinstance(estimator, WeightSharing) else None
        self.trials = self.turns = 0
        self.evaluated = 0  # multiply-accumulates of the evaluations
        self.facts: dict[str, float] = {}  # of the evaluations, added up

    def run(self, tick: StepCallback) -> None:
        """Search; ``tick`` is called between trials, where the state is whole."""
        while True:
            self._fit(tick)
            if self.share() >= 1:
                return
            try:
                candidate = self.strategy.ask()
            except ExhaustedError:
                return
            if candidate is None:
                raise RequestError(
                    "strategy: waits for a trial, but none is pending; return a candidate or raise ExhaustedError"
                )
            self.turns += 1
            if not isinstance(candidate, Skipped):
                trial = self._evaluate(candidate)
                self.strategy.tell(trial)
                self._retain()
                self._record(trial)
                tick(self.state_dict, self._shown(trial))

    def _fit(self, tick: StepCallback) -> None:
        """Take the training steps that are due; once there was a trial, while the budget lasts."""
        if self.sharing is None:
            return
        while not (self.trials and self.share() >= 1) and (shown := self.sharing.fit(self.strategy.sample)):
            tick(self.state_dict, {"share": self.share(), **shown})

    def share(self) -> float:
        """Return the part of the budget that is spent, or raise `RequestError` if it can never be."""
        budget = self.budget
        if self.trials and not self.work and budget.trials is budget.epochs is budget.turns is None:
            raise RequestError("budget.work: this estimator trains and runs no network; set budget.trials instead")
        return budget.share(self.trials, self.epoch, self.turns, self.work)

    @property
    def epoch(self) -> float:
        """The passes of shared weights over their training data so far."""
        return 0.0 if self.sharing is None else self.sharing.spent()[0]

    @property
    def work(self) -> int:
        """The multiply-accumulates so far: of all evaluations and of the training of shared weights."""
        return self.evaluated + (0 if self.sharing is None else self.sharing.spent()[1])

    def _evaluate(self, candidate: Candidate) -> Trial:
        index = self.trials
        try:
            evaluation = priced(self.space, self.estimator, self.reward, candidate, index)
        except TrialError as error:
            self.evaluated += error.work
            return Trial(index, candidate, None, error=str(error), work=error.work)
        self.evaluated += evaluation.work
        self.facts = added(self.facts, evaluation.facts)
        return Trial(index, candidate, evaluation, reward=self.reward(evaluation.metrics), work=evaluation.work)

    def _retain(self) -> None:
        """Say which children's states the strategy still needs."""
        if isinstance(self.strategy, UsesChildren) and isinstance(self.estimator, KeepsChildren):
            self.estimator.retain(self.strategy.needed_states())

    def _record(self, trial: Trial) -> None:
        if trial.index % self.record_every == 0 or trial.error is not None:
            self.append("trials.jsonl", trial_line(trial))
        self.trials += 1

    def _shown(self, trial: Trial) -> dict[str, Any]:
        metrics = trial.evaluation.metrics if trial.evaluation else {}
        return {
            "phase": "search",
            "share": self.share(),
            "trial": trial.index,
            "epoch": round(self.epoch, 2) or None,
            "loss": metrics.get("loss"),
            "error": metrics.get("error"),
            **self.space.features(self.space.genotype(trial.candidate.arch)),
            "entropy": lambda: entropy(trial.candidate),
        }

    def found(self, read: Read) -> Found:
        """Return what the search found; ``read`` returns the lines of a file of the run."""
        arch = self.strategy.derive()
        facts = {"error_kind": self.estimator.error_kind, "trials": self.trials, **self.estimator.facts(), **self.facts}
        facts |= self.strategy.facts() if isinstance(self.strategy, Reporting) else {}
        lines = read("trials.jsonl")
        return Found(arch, self.score(arch, lines), facts | ties(arch, lines))

    def score(self, arch: Architecture, lines: Sequence[Mapping[str, Any]]) -> Metrics:
        """Return the metrics of ``arch``: those recorded when it was picked, else of an evaluation now."""
        picked = (line for line in lines if not line["relaxed"] and line["error"] is None)
        told = [line for line in picked if tuple(line["arch"]) == arch and line["reward"] is not None]
        if told:
            return max(told, key=lambda line: line["reward"])["metrics"]
        return priced(self.space, self.estimator, self.reward, Candidate(arch), self.trials).metrics

    def state_dict(self) -> State:
        parts = {"strategy": self.strategy.state_dict(), "estimator": self.estimator.state_dict()}
        counts = {name: getattr(self, name) for name in COUNTED}
        return parts | counts | {"facts": self.facts}

    def load_state_dict(self, state: State) -> None:
        self.strategy.load_state_dict(state["strategy"])
        self.estimator.load_state_dict(state["estimator"])
        self.trials, self.turns, self.evaluated = (state[name] for name in COUNTED)
        self.facts = dict(state["facts"])


def ties(arch: Architecture, lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return in ``tied`` how many architectures share the best reward, if ``arch`` is one of several.

    Strategies that keep the best trial keep the first of equals: that with the lowest index.
    """
    told = [line for line in lines if not line["relaxed"] and line["error"] is None and line["reward"] is not None]
    best = max((line["reward"] for line in told), default=None)
    equal = {tuple(line["arch"]) for line in told if line["reward"] == best}
    return {"tied": len(equal)} if len(equal) > 1 and arch in equal else {}


def added(some: Metrics, more: Metrics) -> dict[str, float]:
    """Return the sums of two sets of numbers, by name."""
    return {name: some.get(name, 0) + more.get(name, 0) for name in dict.fromkeys([*some, *more])}


def priced(space: SearchSpace, estimator: Estimator, reward: Reward, candidate: Candidate, index: int) -> Evaluation:
    """Return the evaluation of a candidate, with the costs that the reward reads among its metrics.

    One that the estimator gives itself is not replaced by what the space counts.
    """
    evaluation = estimator.evaluate(candidate, index)
    if not reward.resources:
        return evaluation
    genotype = space.genotype(candidate.arch)
    missing = [name for name in reward.resources if name not in evaluation.metrics]
    costs = {name: space.cost(genotype, name) for name in missing}
    return replace(evaluation, metrics={**evaluation.metrics, **costs})


def trial_line(trial: Trial) -> dict[str, Any]:
    """Return a line of trials.jsonl; nothing in it depends on a clock."""
    return {
        "index": trial.index,
        "arch": list(trial.candidate.arch),
        "relaxed": trial.candidate.weights is not None,
        "reward": trial.reward if trial.reward is not None and math.isfinite(trial.reward) else None,
        "metrics": dict(trial.evaluation.metrics) if trial.evaluation else None,
        "error": trial.error,
        **_of_children(trial),
    }


def _of_children(trial: Trial) -> dict[str, Any]:
    """Return what a line says of trials that continue or inherit, and of learning curves, where there are such."""
    candidate, evaluation = trial.candidate, trial.evaluation
    told = {"fidelity": candidate.fidelity, "continues": candidate.continues, "inherits": candidate.inherits}
    line: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    if evaluation is not None and evaluation.curve:
        line["curve"] = [dict(metrics) for metrics in evaluation.curve]
    if evaluation is not None and evaluation.facts and candidate.inherits is not None:
        line["facts"] = dict(evaluation.facts)
    return line


def entropy(candidate: Candidate) -> float | None:
    """Return the mean entropy of the relaxed rows in nats; None for a picked architecture."""
    if candidate.weights is None:
        return None
    entropies = [-(row * row.clamp_min(1e-12).log()).sum().detach() for row in candidate.weights]
    return float(sum(entropies)) / len(entropies)
