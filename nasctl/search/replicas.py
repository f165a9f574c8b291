"""Repeat a search on a table: independent replicas one after the other, and what they say together.

Hundreds of replicas cost minutes where evaluating is a look-up, so a method can be judged by its distribution
instead of by a run or two. Dong and Yang 2020, https://arxiv.org/abs/2001.00326, section 5, repeat 500 times.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nasctl import walk
from nasctl.core import (
    Architecture,
    Constraint,
    Estimator,
    LookUp,
    Metrics,
    Reward,
    SearchSpace,
    State,
    StepCallback,
)
from nasctl.search.feasible import Feasible
from nasctl.search.loop import Append, Found, Read, Search

ENUMERABLE = 10**5  # architectures at most, for the best of a space to be looked up
Line = Mapping[str, Any]


class Incumbent:
    """The best trial so far of one replica, noted in ``curve`` after given numbers of trials.

    Its metrics are noted with the costs that ``resources`` name.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        self.counts, self.resources = frozenset(counts), tuple[str, ...]()
        self.trials, self.reward, self.metrics = 0, float("-inf"), dict[str, float]()
        self.curve: list[dict[str, Any]] = []

    def append(self, name: str, line: Line) -> None:
        """Take in a line of trials.jsonl."""
        self.trials += 1
        if line["error"] is None and line["reward"] > self.reward:
            costs = {name: line["costs"][name] for name in self.resources}
            self.reward, self.metrics = line["reward"], {**line["metrics"], **costs}
        if self.trials in self.counts and self.metrics:
            self.curve.append({"trials": self.trials, "metrics": self.metrics})

    def state_dict(self) -> State:
        names = ("trials", "reward", "metrics", "curve")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: State) -> None:
        for name, value in state.items():
            setattr(self, name, value)


class Replicas:
    """``repeats`` searches that differ in their seed alone; ``build(replica, append)`` makes one.

    Writes a line a replica to replicas.jsonl: what it found, its metrics and cost, and its best-found curve
    at the numbers of trials ``curve``. The state is that of the replica under way.
    """

    work = 0  # multiply-accumulates; look-ups take none

    def __init__(
        self,
        build: Callable[[int, Append], Search],
        space: SearchSpace,
        constraint: Constraint,
        append: Append,
        *,
        seed: int,
        repeats: int,
        curve: Sequence[int],
    ) -> None:
        self.build, self.space, self.constraint, self.append = build, space, constraint, append
        self.seed, self.repeats, self.counts = seed, repeats, curve
        self.best: dict[str, float | None] = {}
        self._begin(0)

    @property
    def estimator(self) -> Estimator:
        return self.search.estimator

    def _begin(self, replica: int) -> None:
        self.replica, self.incumbent = replica, Incumbent(self.counts)
        self.search = self.build(replica, self.incumbent.append)
        self.incumbent.resources = self.search.reward.resources
        self.table = json.dumps(self.search.estimator.facts(), sort_keys=True)

    def run(self, tick: StepCallback) -> None:
        """Search ``repeats`` times; ``tick`` is called between trials."""

        def tick_all(state: Callable[[], State], values: Line) -> None:
            share = (self.replica + values["share"]) / self.repeats
            tick(self.state_dict, {**values, "replica": self.replica, "share": share})

        while self.replica < self.repeats:
            self.search.run(tick_all)
            self.append("replicas.jsonl", self._line())
            self._begin(self.replica + 1)

    def _line(self) -> Line:
        found = self.search.found(lambda name: [])
        best = self._best_quality()
        line = summary(self.replica, self.seed, found, self.space, self.constraint, self.search.reward, best)
        return {**line, "curve": self.incumbent.curve}

    def _best_quality(self) -> float | None:
        """Return the best quality to be had; estimators whose facts are equal at their start answer alike."""
        if self.table not in self.best:
            feasible = Feasible.of(self.space, self.constraint, self.estimator)
            self.best[self.table] = best_quality(self.space, feasible, self.estimator, self.search.reward.quality)
        return self.best[self.table]

    def found(self, read: Read) -> Found:
        """Return the architecture of the replica with the best reward, the mean metrics, and the distribution."""
        return together(read("replicas.jsonl"), self.estimator.error_kind)

    def state_dict(self) -> State:
        return {
            "replica": self.replica,
            "incumbent": self.incumbent.state_dict(),
            "search": self.search.state_dict(),
        }

    def load_state_dict(self, state: State) -> None:
        self._begin(state["replica"])
        self.incumbent.load_state_dict(state["incumbent"])
        self.search.load_state_dict(state["search"])


def summary(
    replica: int,
    seed: int,
    found: Found,
    space: SearchSpace,
    constraint: Constraint,
    reward: Reward,
    best: float | None,
) -> dict[str, Any]:
    """Return what replicas.jsonl says of a replica; ``best`` is the best quality that is feasible, if known.

    The regret is what the quality of a feasible replica lacks of it.
    """
    genotype, margin = space.genotype(found.arch), constraint.margin(space.genotype(found.arch))
    feasible = margin is None or margin >= 0
    return {
        "replica": replica,
        "seed": seed + replica,
        "arch": list(found.arch),
        "reward": reward(found.metrics),
        "metrics": dict(found.metrics),
        **found.facts,
        "regret": best - reward.quality(found.metrics) if best is not None and feasible else None,
        "best_found": None if best is None else feasible and reward.quality(found.metrics) >= best,
        "params": space.cost(genotype, "params"),
        "macs": space.cost(genotype, "macs"),
        "margin": margin,
    }


def best_quality(
    space: SearchSpace,
    feasible: Callable[[Architecture], bool],
    estimator: Estimator,
    quality: Callable[[Metrics], float],
) -> float | None:
    """Return the best quality of the feasible architectures; None where there are too many to look up, or none."""
    if space.size is None or space.size > ENUMERABLE or not isinstance(estimator, LookUp):
        return None
    found = [quality(estimator.look_up(arch)) for arch in walk.every(space) if feasible(arch)]
    return max(found, default=None)


def together(lines: Sequence[Line], error_kind: str) -> Found:
    """Return the architecture of the replica with the best reward, the mean metrics, and the distribution."""
    best = max(lines, key=lambda line: line["reward"])
    facts = {
        "error_kind": error_kind,
        "trials": sum(line["trials"] for line in lines),
        "repeats": len(lines),
        "replicas": distribution(lines),
    }
    return Found(tuple(best["arch"]), means([line["metrics"] for line in lines]), facts)


def distribution(lines: Sequence[Line]) -> dict[str, Any]:
    """Return how the replicas' metrics spread, how many found the best, and the best-found curve."""
    points = sorted({point["trials"] for line in lines for point in line["curve"]})
    return {
        "metrics": {name: spread(values) for name, values in columns([line["metrics"] for line in lines]).items()},
        "best_found": None if lines[0]["best_found"] is None else sum(line["best_found"] for line in lines),
        "curve": [_point(lines, trials) for trials in points],
    }


def _point(lines: Sequence[Line], trials: int) -> dict[str, Any]:
    reached = [point["metrics"] for line in lines for point in line["curve"] if point["trials"] == trials]
    metrics = {name: spread(values) for name, values in columns(reached).items()}
    return {"trials": trials, "replicas": len(reached), "metrics": metrics}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return mean, sample standard deviation, median and quantiles (5, 25, 75 and 95 %) of several values."""
    cuts = statistics.quantiles(values, n=20, method="inclusive") if len(values) > 1 else list(values) * 19
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else 0.0,
        "median": statistics.median(values),
        **{f"q{5 * (i + 1):02}": cuts[i] for i in (0, 4, 14, 18)},
    }


def means(metrics: Sequence[Metrics]) -> Metrics:
    return {name: statistics.fmean(values) for name, values in columns(metrics).items()}


def columns(metrics: Sequence[Metrics]) -> dict[str, list[float]]:
    """Return the values of each metric that all have."""
    names = [name for name in metrics[0] if all(name in each for each in metrics)]
    return {name: [each[name] for each in metrics] for name in names}
