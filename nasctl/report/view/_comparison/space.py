"""Search spaces of the runs: their sizes, and the errors of random architectures.

The figures of random architectures hold under the estimator that made them, so they never stand in the
error column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nasctl.report._read.duplicates import once
from nasctl.report._read.likeness import data_digits, groups, limit_of, shared
from nasctl.report._read.method import RANDOM
from nasctl.report._read.record import PERPLEXITY, Run, finite
from nasctl.report._read.trial import Trial, comparable
from nasctl.report._statistics.figure import Figure


@dataclass(frozen=True)
class Space:
    """A space and its number of architectures, None where that is not known."""

    name: str
    size: int | None


@dataclass(frozen=True)
class RandomArchitectures:
    """Error, in percent, over the n random architectures that the runs of one method evaluated.

    It is the perplexity where ``measure`` says so.
    """

    space: str
    dataset: str
    estimator: str
    error_kind: str
    measure: str  # error (%) | perplexity
    signature: str
    error: Figure
    limit: str | None = None
    data: str | None = None  # the start of the fingerprint


def spaces(runs: Iterable[Run]) -> list[Space]:
    """Return the spaces of the finished runs; one name twice where its settings change its size."""
    found = dict.fromkeys(space for run in runs if (space := _sized(run)))
    return sorted(found, key=lambda space: (space.name, space.size or 0))


def random_architectures(runs: Iterable[Run]) -> list[RandomArchitectures]:
    """Return the figures of the finished random searches, the runs of one row pooled, each seed once."""
    searched = (run for run in runs if run.status == "finished" and run.verb == "search")
    chance = [run for run in searched if run.choices.get("strategy") == RANDOM]
    pooled = [_pooled(str(group[0].method), once(group).runs) for group in groups(chance)]
    return [found for found in pooled if found is not None]


def _sized(run: Run) -> Space | None:
    """Return the space of a run; None where nothing is recorded of its size, as of a published genotype."""
    retrained = run.verb == "retrain"
    record, chosen = (run.source, run.source.get("choices")) if retrained else (run.result, run.choices)
    name, size = (chosen or run.choices).get("space"), record.get("space_size")
    known = size or ("space_size" in record and chosen is not None)  # a null is of a search
    return Space(str(name), size) if name and known else None


def _pooled(signature: str, runs: Sequence[Run]) -> RandomArchitectures | None:
    if not runs:
        return None  # all seeds contradict each other
    measure = runs[0].measure
    name = PERPLEXITY if measure == PERPLEXITY else "error"
    figure = Figure.of(error for run in runs for trial in comparable(run) for error in _errors(trial, name))
    choices: Any = {name: str(runs[0].choices.get(name)) for name in ("space", "dataset", "estimator")}
    choices |= {"limit": limit_of(shared(runs)) or None, "data": data_digits(shared(runs))}
    kind = str(runs[0].result["error_kind"])
    if figure is None:
        return None
    return RandomArchitectures(**choices, error_kind=kind, measure=measure, signature=signature, error=figure)


def _errors(trial: Trial, name: str) -> list[float]:
    """Return the metric ``name`` of a trial as a list of at most one."""
    error = finite(trial.metrics.get(name))
    return [] if error is None else [error]
