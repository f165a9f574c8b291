"""Repeated searches: each replica of a run as a run of its own, how the replicas spread, and their curves.

Errors are in percent. Intervals are 95 % intervals of a mean by Student's t.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nasctl.report._read.record import Json, Run, damaged, finite, lines
from nasctl.report._statistics.figure import Figure
from nasctl.report._statistics.interval import half_width

_NEEDED = ("seed", "metrics", "params", "macs", "margin")


@dataclass(frozen=True)
class Distribution:
    """How the errors of replicas spread, and how many replicas found the best that was to be found."""

    median: float
    low: float  # the 5 % quantile
    high: float  # the 95 % quantile
    best_found: int | None
    of: int

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class Point:
    """The best found after so many trials, over replicas: the error that the search saw, and the reported one.

    ``difference`` is reported less seen, replica by replica, in points: the winner's curse.
    """

    trials: int
    error: Figure
    reported: Figure | None
    difference: Figure | None

    def interval(self) -> float | None:
        """Return the half width of the interval of the mean difference; None where there is none."""
        return None if self.difference is None else half_width(self.difference)


def apart(run: Run) -> list[Run]:
    """Return the replicas of a repeated search as runs, each with its share of the cost; other runs as they are."""
    repeats = run.result.get("repeats")
    return [_replica(run, line, repeats) for line in replicas(run, *_NEEDED)] if repeats else [run]


def replicas(run: Run, *needed: str) -> list[Json]:
    """Return the lines of replicas.jsonl with the keys ``needed``, or raise `DamagedError` unless all are there."""
    found, repeats = list(lines(run, "replicas.jsonl", *needed)), run.result["repeats"]
    if len(found) != repeats:
        raise damaged(run, "replicas.jsonl", f"holds {len(found):,} replicas, but result.json says {repeats:,}")
    return found


def _replica(run: Run, line: Json, repeats: int) -> Run:
    metrics, margin = line["metrics"], line["margin"]
    own = {
        "seed": line["seed"],
        "error": metrics.get("reported_error", metrics.get("error")),
        "params": line["params"],
        "macs": line["macs"],
        "costs": line.get("costs") or {},
        "feasible": None if margin is None else margin >= 0,
        "cost": {phase: seconds / repeats for phase, seconds in run.result["cost"].items()},
        "replica": line,
    }
    return replace(run, result={**run.result, **own})


def distribution(runs: Sequence[Run]) -> Distribution | None:
    """Return the distribution over replicas; None unless all runs are some, and several."""
    found = [run.result["replica"] for run in runs if "replica" in run.result]
    errors = [error for run in runs if (error := run.number("error")) is not None]
    if len(found) < max(len(runs), 2) or len(errors) < len(found):
        return None
    cuts = statistics.quantiles(errors, n=20, method="inclusive")
    known = [line["best_found"] for line in found if line.get("best_found") is not None]
    best = sum(known) if len(known) == len(found) else None
    return Distribution(statistics.median(errors), cuts[0], cuts[-1], best, len(found))


def curve(runs: Iterable[Run]) -> list[Point]:
    """Return the best-found curve of replicas, at the numbers of trials that are recorded."""
    found = [point for run in runs if "replica" in run.result for point in run.result["replica"].get("curve", ())]
    points = [_point(trials, found) for trials in sorted({point["trials"] for point in found})]
    return [point for point in points if point is not None]


def _point(trials: int, found: Sequence[Json]) -> Point | None:
    metrics = [point["metrics"] for point in found if point["trials"] == trials]
    error = Figure.of(seen for each in metrics if (seen := finite(each.get("error"))) is not None)
    both = [(finite(each.get("error")), finite(each.get("reported_error"))) for each in metrics]
    pairs = [(a, b) for a, b in both if a is not None and b is not None]
    reported, difference = Figure.of(b for _, b in pairs), Figure.of(b - a for a, b in pairs)
    return Point(trials, error, reported, difference) if error else None
