"""Runs of one row and one seed: with equal results they count once, with different results they are excluded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasctl.report._read.likeness import genotype, groups
from nasctl.report._read.provenance import differing
from nasctl.report._read.record import Run

_COMPARED = ("error", "params", "macs", "feasible")
_CLOCKS = ("latency", "seconds")  # in names of metrics that no seed repeats
_ROUNDING = 1e-6  # relative


@dataclass(frozen=True)
class Fault:
    """Runs of one row and one seed with different results."""

    runs: tuple[Run, ...]

    def __str__(self) -> str:
        shown = "; ".join(f"{_shown(run)} in {run.path}" for run in self.runs)
        known = differing(self.runs)
        cause = f"they differ in {', '.join(known)}" if known else "nothing else that was recorded differs"
        return f"Fault: {_name(self.runs[0])} was run {len(self.runs)} times with unlike results: {shown}; {cause}."


@dataclass(frozen=True)
class Counted:
    """``runs`` enter the statistics; ``repeats`` have the seed and result of one of them; ``faults`` are excluded."""

    runs: tuple[Run, ...]
    repeats: tuple[Run, ...]
    faults: tuple[Fault, ...]


def once(runs: Iterable[Run]) -> Counted:
    """Return the runs of a row, each seed once."""
    seeds: dict[Any, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.status != "finished"):
        seeds.setdefault(identity(run), []).append(run)
    sound = {seed: group for seed, group in seeds.items() if all(same(group[0], run) for run in group[1:])}
    return Counted(
        runs=tuple(group[0] for group in sound.values()),
        repeats=tuple(run for group in sound.values() for run in group[1:]),
        faults=tuple(Fault(tuple(group)) for seed, group in seeds.items() if seed not in sound),
    )


def without_repeats(runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """Return ``runs`` of any rows without the repeats of each row, and a sentence for each fault."""
    counted = [once(group) for group in groups(runs)]
    dropped = {run.path for each in counted for run in each.repeats}
    return [run for run in runs if run.path not in dropped], [str(fault) for each in counted for fault in each.faults]


def identity(run: Run) -> tuple[Any, Any]:
    """Return the seed of the search (or the number of the random architecture) behind a run, and its own seed."""
    return run.source.get("seed"), run.result.get("seed", run.config.get("seed"))


def same(a: Run, b: Run) -> bool:
    """Return whether two runs have one result; what one of them does not record is not compared."""
    pairs = [(a.result.get(name), b.result.get(name)) for name in _COMPARED]
    pairs += [(a.metrics[name], b.metrics[name]) for name in a.metrics if name in b.metrics and not _is_timed(name)]
    pairs += [(_found(a), _found(b))]
    return all(_equal(*pair) for pair in pairs)


def _found(run: Run) -> Any:
    """Return the architecture that a run found or trained, None where it is not recorded."""
    replica = run.result.get("replica")
    return replica.get("arch") if isinstance(replica, Mapping) else genotype(run)


def _is_timed(name: str) -> bool:
    return any(word in name for word in _CLOCKS)


def _equal(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return True
    if isinstance(a, int | float) and isinstance(b, int | float):
        return math.isclose(a, b, rel_tol=_ROUNDING) or (math.isnan(a) and math.isnan(b))
    return bool(a == b)


def _shown(run: Run) -> str:
    return "no figure" if run.score is None else f"{run.score:.5g}"


def _name(run: Run) -> str:
    searched, own = identity(run)
    return f"seed {own}" if searched is None else f"search seed {searched}, retrain seed {own}"
