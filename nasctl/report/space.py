"""What the runs tell about the search spaces themselves: their size, and how good random architectures are.

The figures of random architectures hold under the estimator that made them, so they never stand in the
error column.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nasctl.report.figure import Figure
from nasctl.report.record import Json, Run, trials

_RANDOM = "random_search"


@dataclass(frozen=True)
class Space:
    """A space and its number of architectures."""

    name: str
    size: int


@dataclass(frozen=True)
class RandomArchitectures:
    """Error, in percent, over the n random architectures that the runs of one signature evaluated."""

    space: str
    dataset: str
    estimator: str
    error_kind: str
    signature: str
    error: Figure


def spaces(runs: Iterable[Run]) -> list[Space]:
    """Return the spaces of the finished runs; one name twice where its settings change its size."""
    found = {Space(name, size): None for run in runs for name, size in [_sized(run)] if name and size}
    return sorted(found, key=lambda space: (space.name, space.size))


def random_architectures(runs: Iterable[Run]) -> list[RandomArchitectures]:
    """Return the figures of the finished random searches, runs of one signature pooled."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        if run.status == "finished" and run.verb == "search" and run.choices.get("strategy") == _RANDOM:
            groups.setdefault(run.result["signature"], []).append(run)
    pooled = [_pooled(signature, group) for signature, group in groups.items()]
    return [found for found in pooled if found is not None]


def _sized(run: Run) -> tuple[str | None, int | None]:
    if run.verb == "retrain":
        chosen = run.source.get("choices") or run.choices
        return chosen.get("space"), run.source.get("space_size")
    return run.choices.get("space"), run.result.get("space_size")


def _pooled(signature: str, runs: list[Run]) -> RandomArchitectures | None:
    figure = Figure.of(error for run in runs for trial in trials(run) for error in _errors(trial))
    choices: Any = {name: str(runs[0].choices.get(name)) for name in ("space", "dataset", "estimator")}
    kind = str(runs[0].result["error_kind"])
    return RandomArchitectures(**choices, error_kind=kind, signature=signature, error=figure) if figure else None


def _errors(trial: Json) -> list[float]:
    """Return the error of a discrete trial that did not fail, as a list of at most one."""
    error = (trial.get("metrics") or {}).get("error")
    if trial.get("error") is not None or trial.get("relaxed") or not isinstance(error, int | float):
        return []
    return [error] if math.isfinite(error) else []
