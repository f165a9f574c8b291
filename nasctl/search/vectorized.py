"""Repeat a search on a table as one batch of tensors: all replicas draw, are looked up and learn together.

A replica samples the architectures that it would sample alone, from its own seed.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from nasctl.core import Architecture, Constraint, Estimator, FixedSpace, LookUp, Metrics, Reward, State, StepCallback
from nasctl.errors import RequestError, TrialError
from nasctl.search.budget import Budget
from nasctl.search.feasible import Feasible
from nasctl.search.loop import Append, Found, Read, costs_of
from nasctl.search.replicas import best_quality, summary, together

NOTED = ("turns", "trials", "best", "incumbents", "curves", "trajectory", "written")
LISTED = 2**24  # architectures at most, for a reward of each to be kept


class Table(Estimator, LookUp, Protocol):
    """An estimator that looks results up."""


class Policies(Protocol):
    """A strategy of which several replicas move together; tensors begin with the replicas."""

    def draw(self, active: Tensor) -> tuple[Tensor, Tensor]:
        """Return architectures ``(replicas, decisions)``, and which of the ``active`` are to be evaluated."""

    def learn(self, archs: Tensor, rewards: Tensor, told: Tensor) -> None:
        """Learn from the rewards of those that ``told`` selects."""

    def probabilities(self) -> Tensor:
        """Return how probable each option is now, ``(replicas, decisions, options)``; 0 where one is missing."""

    def picks(self) -> Tensor:
        """Return the final architectures ``(replicas, decisions)``; pure."""

    def describe(self) -> Sequence[Mapping[str, Any]]:
        """Return what the record says of each policy."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


class Batch:
    """``repeats`` replicas with seeds ``seed``, ``seed + 1``, ...; writes a line of each to replicas.jsonl.

    ``build_estimator(seed)`` makes the table that a replica looks up; a failed look-up teaches nothing.
    ``curve`` are the numbers of trials after which each replica notes its best so far, and the numbers of turns
    after which the mean of the policies is noted.
    """

    work = 0  # multiply-accumulates; look-ups take none

    def __init__(
        self,
        space: FixedSpace,
        strategy: Policies,
        build_estimator: Callable[[int], Table],
        reward: Reward,
        constraint: Constraint,
        budget: Budget,
        append: Append,
        *,
        seed: int,
        repeats: int,
        curve: Sequence[int],
    ) -> None:
        if space.size > LISTED:
            raise RequestError(
                f"strategy.vectorized=true keeps a reward of each architecture, but the space has {space.size:,}; "
                "use strategy.vectorized=false"
            )
        self.space, self.strategy, self.reward, self.constraint = space, strategy, reward, constraint
        self.budget, self.append, self.seed, self.repeats, self.counts = budget, append, seed, repeats, set(curve)
        self.tables = Tables([build_estimator(seed + replica) for replica in range(repeats)], space, reward)
        self.turns = 0
        self.trials = torch.zeros(repeats, dtype=torch.int64)
        self.best = torch.full((repeats,), float("-inf"), dtype=torch.float64)
        self.incumbents = torch.zeros(repeats, len(space.decisions), dtype=torch.int64)
        self.curves: list[list[dict[str, Any]]] = [[] for _ in range(repeats)]
        self.trajectory: list[dict[str, Any]] = []  # of the mean policy
        self.written = False  # replicas.jsonl

    @property
    def estimator(self) -> Table:
        return self.tables.of(0)

    def run(self, tick: StepCallback) -> None:
        """Search until every replica has spent its budget; ``tick`` is called between turns."""
        while bool((active := self._active()).any()):
            archs, wanted = self.strategy.draw(active)
            rewards = self.tables.rewards(archs, wanted)
            told = wanted & rewards.isfinite()
            self.strategy.learn(archs, rewards, told)
            self.trials, self.turns = self.trials + wanted, self.turns + 1
            self._note(archs, rewards, told, wanted)
            if self.turns in self.counts:
                self.trajectory.append({"turn": self.turns, "probabilities": self._mean_policy()})
            tick(self.state_dict, {"phase": "search", "share": self._share(), "turn": self.turns})
        for line in [] if self.written else self._lines():
            self.append("replicas.jsonl", line)
        self.written = True

    def _active(self) -> Tensor:
        """Return which replicas have budget left, ``(replicas,)``."""
        trials, turns = self.budget.trials, self.budget.turns
        left = torch.tensor(turns is None or self.turns < turns)
        return left & (self.trials < (trials if trials is not None else torch.iinfo(torch.int64).max))

    def _share(self) -> float:
        return self.budget.share(int(self.trials.min()), 0.0, self.turns)

    def _note(self, archs: Tensor, rewards: Tensor, told: Tensor, wanted: Tensor) -> None:
        """Keep the best of each replica, and note it in the curves that reach a count now."""
        better = told & (rewards > self.best)
        self.best = torch.where(better, rewards, self.best)
        self.incumbents = torch.where(better[:, None], archs, self.incumbents)
        for replica in wanted.nonzero().flatten().tolist() if self.counts & set(self.trials.tolist()) else ():
            trials = int(self.trials[replica])
            if trials in self.counts and bool(self.best[replica].isfinite()):
                metrics = self.tables.metrics(replica, tuple(self.incumbents[replica].tolist()))
                self.curves[replica].append({"trials": trials, "metrics": dict(metrics)})

    def _mean_policy(self) -> dict[str, dict[str, float]]:
        """Return the mean probability over replicas of each option of each decision."""
        means = self.strategy.probabilities().mean(0).tolist()
        return {
            decision.name: dict(zip(decision.options, row, strict=False))
            for decision, row in zip(self.space.decisions, means, strict=True)
        }

    def _lines(self) -> list[dict[str, Any]]:
        described, best = self.strategy.describe(), self.tables.best(self.constraint)
        lines = []
        for replica, arch in enumerate(self.strategy.picks().tolist()):
            estimator = self.tables.of(replica)
            facts = {"error_kind": estimator.error_kind, "trials": int(self.trials[replica])}
            facts |= {**self.tables.facts(replica), "policy": described[replica]}
            found = Found(tuple(arch), self.tables.metrics(replica, tuple(arch)), facts)
            line = summary(replica, self.seed, found, self.space, self.constraint, self.reward, best[replica])
            lines.append({**line, "curve": self.curves[replica]})
        return lines

    def found(self, read: Read) -> Found:
        """Return the architecture of the replica with the best reward, the mean metrics, and the distribution."""
        lines = read("replicas.jsonl")
        found = together(lines, self.estimator.error_kind)
        policies = [line["policy"] for line in lines]
        modes = {"modes_feasible": sum(policy["mode_feasible"] for policy in policies)}
        mass = {"feasible_mass": statistics.fmean(policy["feasible_mass"] for policy in policies)}
        return replace(found, facts={**found.facts, "policy": modes | mass, "trajectory": self.trajectory})

    def state_dict(self) -> State:
        counts = {name: getattr(self, name) for name in NOTED}
        return counts | {"strategy": self.strategy.state_dict()}

    def load_state_dict(self, state: State) -> None:
        self.strategy.load_state_dict(state["strategy"])
        for name in NOTED:
            setattr(self, name, state[name])


class Tables:
    """Rewards of architectures, looked up once for all replicas whose estimators answer alike."""

    def __init__(self, estimators: Sequence[Table], space: FixedSpace, reward: Reward) -> None:
        self.space, self.reward = space, reward
        names = [json.dumps(estimator.facts(), sort_keys=True) for estimator in estimators]
        self.told = [json.loads(name) for name in names]
        alike = {name: estimator for name, estimator in zip(names, estimators, strict=True)}
        self.estimators = list(alike.values())
        self.table = torch.tensor([list(alike).index(name) for name in names])
        sizes = [len(decision.options) for decision in space.decisions]
        self.strides = torch.tensor([*sizes[1:], 1]).flip(0).cumprod(0).flip(0)
        self.known = torch.zeros(len(alike), space.size, dtype=torch.bool)
        self.values = torch.zeros(len(alike), space.size, dtype=torch.float64)

    def of(self, replica: int) -> Table:
        """Return the estimator that answers a replica."""
        return self.estimators[int(self.table[replica])]

    def facts(self, replica: int) -> dict[str, Any]:
        """Return what a replica's estimator says of itself."""
        return dict(self.told[replica])

    def rewards(self, archs: Tensor, wanted: Tensor) -> Tensor:
        """Return the rewards ``(replicas,)`` of ``archs`` where ``wanted``; -inf for a failed look-up."""
        places = (archs * self.strides).sum(1)
        for replica in (wanted & ~self.known[self.table, places]).nonzero().flatten().tolist():
            place = self.table[replica], places[replica]
            self.values[place] = self._reward(replica, tuple(archs[replica].tolist()))
            self.known[place] = True
        return self.values[self.table, places]

    def _reward(self, replica: int, arch: Architecture) -> float:
        try:
            return self.reward(self.metrics(replica, arch))
        except TrialError:
            return float("-inf")

    def metrics(self, replica: int, arch: Architecture) -> Metrics:
        """Return the metrics of an architecture, with the costs that the reward reads."""
        metrics = self.of(replica).look_up(arch)
        return {**metrics, **costs_of(self.space, self.reward.resources, arch, metrics)}

    def best(self, constraint: Constraint) -> list[float | None]:
        """Return the best feasible quality, if known, for each replica."""
        found = [
            best_quality(self.space, Feasible.of(self.space, constraint, estimator), estimator, self.reward.quality)
            for estimator in self.estimators
        ]
        return [found[table] for table in self.table.tolist()]
