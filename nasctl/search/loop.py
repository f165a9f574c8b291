"""The search loop, for all strategies and estimators."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasctl.core import (
    Architecture,
    Candidate,
    Estimator,
    KeepsChildren,
    Metrics,
    Reporting,
    Result,
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
from nasctl.search.budget import Budget
from nasctl.search.pending import Pending
from nasctl.search.spent import Spent

PARTS = ("strategy", "estimator", "spent", "pending")  # with a state
OF_CANDIDATE = ("fidelity", "continues", "inherits")  # in trials.jsonl where they are set
Append = Callable[[str, Mapping[str, Any]], None]
Read = Callable[[str], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Found:
    """The architecture at the end of a search, its metrics, and further entries of result.json."""

    arch: Architecture
    metrics: Metrics
    facts: Mapping[str, Any]


class Search:
    """Fit, ask, evaluate, tell, record, until the budget is spent.

    A trial has the costs that ``resources`` name; the reward reads them beside the metrics.
    """

    def __init__(
        self,
        space: SearchSpace,
        strategy: Strategy,
        estimator: Estimator,
        pending: Pending,
        reward: Reward,
        budget: Budget,
        append: Append,
        *,
        resources: Sequence[str],
        record_every: int,
    ) -> None:
        self.space, self.strategy, self.estimator, self.pending = space, strategy, estimator, pending
        self.reward, self.append = reward, append
        self.resources, self.record_every = resources, record_every
        self.sharing = estimator if isinstance(estimator, WeightSharing) else None
        self.spent = Spent(budget, self.sharing)

    def run(self, tick: StepCallback) -> None:
        """Search; ``tick`` is called between trials, where the state is whole."""
        self._ask(tick)
        while self.pending:
            trial = self._trial(*self._next(tick))
            self.strategy.tell(trial)
            self._retain()
            self._record(trial)
            tick(self.state_dict, self._shown(trial))
            self._ask(tick)

    def _ask(self, tick: StepCallback) -> None:
        """Ask until as many candidates are pending as may be, or until there are no more for now."""
        while not self.pending.full:
            self._fit(tick)
            if self.spent.share(self.spent.asked) >= 1:
                return
            try:
                candidate = self.strategy.ask()
            except ExhaustedError:
                return
            if candidate is None:
                return self._check_wait()
            self.spent.turns += 1
            if not isinstance(candidate, Skipped):
                self.pending.submit(self.spent.asked, candidate)
                self.spent.asked += 1

    def _check_wait(self) -> None:
        """Raise `RequestError` if the strategy waits where nothing is pending."""
        if not self.pending:
            kind = type(self.strategy)
            raise RequestError(
                f"strategy: {kind.__module__}.{kind.__qualname__} waits for a trial after {self.trials:,}, but none is "
                "pending; have ask return a candidate or raise ExhaustedError"
            )

    def _fit(self, tick: StepCallback) -> None:
        """Take the training steps that are due; once there was a trial, while the budget lasts."""
        spent = self.spent
        if self.sharing is None:
            return
        while not (spent.trials and spent.share(spent.asked) >= 1) and (
            shown := self.sharing.fit(self.strategy.sample)
        ):
            tick(self.state_dict, {"share": spent.share(spent.trials), **shown})

    @property
    def trials(self) -> int:
        """The candidates told so far."""
        return self.spent.trials

    @property
    def work(self) -> int:
        """The multiply-accumulates so far."""
        return self.spent.work

    def _next(self, tick: StepCallback) -> tuple[int, Candidate, Result]:
        """Wait for the result to be told next; ``tick`` is called where another one arrives before it."""
        while (due := self.pending.next()) is None:
            tick(self.state_dict, {"phase": "search", "share": self.spent.share(self.trials)})
        return due

    def _trial(self, index: int, candidate: Candidate, result: Result) -> Trial:
        self.spent.add(result)
        if isinstance(result, TrialError):
            return Trial(index, candidate, None, error=str(result), work=result.work)
        costs = costs_of(self.space, self.resources, candidate.arch, result.metrics)
        reward = self.reward({**result.metrics, **costs})
        return Trial(index, candidate, result, costs=costs, reward=reward, work=result.work)

    def _retain(self) -> None:
        """Say which children's states the strategy still needs, and those that are pending."""
        if isinstance(self.strategy, UsesChildren) and isinstance(self.estimator, KeepsChildren):
            self.estimator.retain({*self.strategy.needed_states(), *self.pending.trials()})

    def _record(self, trial: Trial) -> None:
        if trial.index % self.record_every == 0 or trial.error is not None:
            self.append("trials.jsonl", trial_line(trial))
        self.spent.trials += 1

    def _shown(self, trial: Trial) -> dict[str, Any]:
        metrics = trial.evaluation.metrics if trial.evaluation else {}
        return {
            "phase": "search",
            "share": self.spent.share(self.trials),
            "trial": trial.index,
            "epoch": round(self.spent.epoch, 2) or None,
            "loss": metrics.get("loss"),
            "error": metrics.get("error"),
            **self.space.format.features(self.space.genotype(trial.candidate.arch)),
            "entropy": lambda: entropy(trial.candidate),
        }

    def found(self, read: Read) -> Found:
        """Return what the search found; ``read`` returns the lines of a file of the run."""
        arch = self.strategy.derive()
        facts = {"error_kind": self.estimator.error_kind, "trials": self.trials, **self.estimator.facts()}
        facts |= self.spent.facts
        facts |= self.strategy.facts() if isinstance(self.strategy, Reporting) else {}
        lines = read("trials.jsonl")
        return Found(arch, self.score(arch, lines), facts | ties(arch, lines))

    def score(self, arch: Architecture, lines: Sequence[Mapping[str, Any]]) -> Metrics:
        """Return the metrics of ``arch`` with the costs that the reward reads.

        They are those of its best trial at its highest fidelity, else of an evaluation now.
        """
        told = of_highest_fidelity([line for line in succeeded(lines) if tuple(line["arch"]) == arch])
        if told:
            best = max(told, key=lambda line: line["reward"])
            known = {**best["metrics"], **(best.get("costs") or {})}
            return {name: known[name] for name in (*best["metrics"], *self.reward.resources)}
        evaluation = self.estimator.evaluate(Candidate(arch), self.spent.asked)
        self.spent.evaluated += evaluation.work
        return {**evaluation.metrics, **costs_of(self.space, self.reward.resources, arch, evaluation.metrics)}

    def state_dict(self) -> State:
        return {name: getattr(self, name).state_dict() for name in PARTS}

    def load_state_dict(self, state: State) -> None:
        for name in PARTS:
            getattr(self, name).load_state_dict(state[name])


def succeeded(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the lines of picked architectures that have a reward."""
    return [line for line in lines if not line["relaxed"] and line["error"] is None and line["reward"] is not None]


def of_highest_fidelity(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the lines of the highest fidelity among ``lines``: trials of different fidelity are not compared."""
    highest = max((fidelity(line) for line in lines), default=1.0)
    return [line for line in lines if fidelity(line) == highest]


def fidelity(line: Mapping[str, Any]) -> float:
    """Return the share of the full budget that a trial had."""
    return float(line.get("fidelity") or 1.0)


def ties(arch: Architecture, lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return in ``tied`` how many architectures share the best reward, if ``arch`` is one of several.

    Strategies that keep the best trial keep the first of equals: that with the lowest index.
    """
    told = of_highest_fidelity(succeeded(lines))
    best = max((line["reward"] for line in told), default=None)
    equal = {tuple(line["arch"]) for line in told if line["reward"] == best}
    return {"tied": len(equal)} if len(equal) > 1 and arch in equal else {}


def costs_of(space: SearchSpace, resources: Sequence[str], arch: Architecture, metrics: Metrics) -> dict[str, float]:
    """Return the costs of the final form of ``arch``; one that ``metrics`` already hold is taken from there."""
    if not resources:
        return {}
    genotype = space.genotype(arch)
    return {name: metrics[name] if name in metrics else space.cost(genotype, name) for name in resources}


def trial_line(trial: Trial) -> dict[str, Any]:
    """Return a line of trials.jsonl; nothing in it depends on a clock. The entries after ``error`` only where set."""
    candidate, evaluation = trial.candidate, trial.evaluation
    line = {
        "index": trial.index,
        "arch": list(candidate.arch),
        "relaxed": candidate.weights is not None,
        "reward": trial.reward if trial.reward is not None and math.isfinite(trial.reward) else None,
        "metrics": dict(evaluation.metrics) if evaluation else None,
        "error": trial.error,
        **_of_children(trial),
    }
    curve = [dict(metrics) for metrics in evaluation.curve] if evaluation else []
    others = {"costs": dict(trial.costs), "curve": curve, "work": trial.work}
    others |= {name: getattr(candidate, name) for name in OF_CANDIDATE}
    return line | {name: value for name, value in others.items() if value or (value == 0 and name in OF_CANDIDATE)}


def _of_children(trial: Trial) -> dict[str, Any]:
    """Return what a line says of trials that continue or inherit, and of learning curves, where there are such."""
    candidate, evaluation = trial.candidate, trial.evaluation
    recorded = {"fidelity": candidate.fidelity, "continues": candidate.continues, "inherits": candidate.inherits}
    line: dict[str, Any] = {name: value for name, value in recorded.items() if value is not None}
    if evaluation is not None and evaluation.curve:
        line["curve"] = [dict(metrics) for metrics in evaluation.curve]
    if evaluation is not None and evaluation.facts and candidate.inherits is not None:
        line["facts"] = dict(evaluation.facts)
    return line


def entropy(candidate: Candidate) -> float | None:
    """Return the mean entropy of the relaxed choices in nats; None for a picked architecture."""
    if candidate.weights is None:
        return None
    entropies = [-(row * row.clamp_min(1e-12).log()).sum().detach() for row in candidate.weights]
    return float(sum(entropies)) / len(entropies)
