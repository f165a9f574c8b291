"""Trials of a search as trials.jsonl records them.

Costs stand beside the metrics; runs of 0.1.0 have them among the metrics. A trial without a fidelity had all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nasctl.report._read.record import Json, Run, finite, lines

Arch = tuple[int, ...]
COSTS = ("params", "macs")  # that replicas.jsonl has beside its metrics, not among its costs


@dataclass(frozen=True)
class Trial:
    """An architecture that a search evaluated: metrics and costs by name, and the share of the full budget.

    A trial that failed has an ``error`` and no metrics.
    """

    arch: Arch
    metrics: Json
    costs: Json
    fidelity: float
    error: str | None
    relaxed: bool
    index: int | None

    @property
    def figures(self) -> Json:
        """Return metrics and costs by name."""
        return {**self.metrics, **self.costs}

    def figure(self, name: str) -> float | None:
        """Return a metric or cost; None where it is not recorded or not finite."""
        return finite(self.figures.get(name))

    @property
    def succeeded(self) -> bool:
        """Return whether there is an evaluation of one architecture."""
        return self.error is None and bool(self.metrics) and not self.relaxed


def trials(run: Run, *needed: str) -> Iterator[Trial]:
    """Yield the trials of a run, whose lines have the keys ``needed``, or raise `DamagedError`."""
    return map(_trial, lines(run, "trials.jsonl", *needed))


def comparable(run: Run, *needed: str) -> list[Trial]:
    """Return the trials of the highest fidelity at which one succeeded."""
    return of_highest_fidelity(trials(run, *needed))


def of_highest_fidelity(found: Iterable[Trial]) -> list[Trial]:
    """Return the successful ones among ``found`` of their highest fidelity."""
    known = [trial for trial in found if trial.succeeded]
    highest = max((trial.fidelity for trial in known), default=1.0)
    return [trial for trial in known if trial.fidelity == highest]


def recorded(found: Iterable[Trial]) -> list[str]:
    """Return the names of the costs and metrics that trials record, costs first."""
    listed: Sequence[Trial] = list(found)
    names = dict.fromkeys(name for trial in listed for name in trial.costs)
    return list(names | dict.fromkeys(name for trial in listed for name in trial.metrics))


def replica_costs(line: Json) -> Json:
    """Return the costs of what a replica found by name, with those that runs of 0.1.0 have elsewhere in the line."""
    beside = {name: line[name] for name in COSTS if name in line}
    return {**(line.get("metrics") or {}), **beside, **(line.get("costs") or {})}


def _trial(line: Json) -> Trial:
    return Trial(
        arch=tuple(line.get("arch") or ()),
        metrics=line.get("metrics") or {},
        costs=line.get("costs") or {},
        fidelity=1.0 if line.get("fidelity") is None else line["fidelity"],
        error=line.get("error"),
        relaxed=bool(line.get("relaxed")),
        index=line.get("index"),
    )
