"""Simple regret of each search against an exhaustive sweep.

The reference is the best architecture of the sweep within the search's own limit, by the sweep's measure. The found
architecture is scored by the sweep too, so that noise in the search's own evaluations has no part in it. Sweeps of
several seeds count by the mean of each architecture, since the best of many single trainings is the luckiest one.
Bubeck et al. 2009, https://arxiv.org/abs/0802.2655.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations
from pathlib import Path
from statistics import fmean, median

from nasctl.errors import RequestError
from nasctl.report._read.duplicates import once
from nasctl.report._read.label import distinct
from nasctl.report._read.likeness import NOT_SIGNED, Fields, agree, differing, fields, groups, limit_of, shared
from nasctl.report._read.method import Method, methods
from nasctl.report._read.record import Json, Run, content, damaged, find, finite, within
from nasctl.report._read.remarks import TEST_REWARD, of_rows
from nasctl.report._read.trial import Arch, comparable
from nasctl.report._statistics import interval
from nasctl.report._statistics.figure import Figure, count
from nasctl.report._statistics.interval import LEVEL
from nasctl.report._statistics.median import bounds
from nasctl.report._statistics.paired_difference import paired_differences
from nasctl.report.declaration import Content, Line, View
from nasctl.report.grid import Cells, Grid, grid

Limits = tuple[tuple[str, float], ...]
"""Pairs of a cost's name and its upper bound."""

_DECIMALS = 5  # of a regret
_RANKING = (
    "Mean ± std over the searches whose finding is within the limit.",
    "Median rank over the same searches. Brackets: 95 % interval between two order statistics, each row by itself; "
    "of five searches or fewer, which have no such interval, the least and the greatest rank in parentheses.",
)


@dataclass(frozen=True)
class Sweep:
    """The values (lower is better) and figures of all architectures, means over the seeds of the sweeps at ``paths``.

    Searches must share its ``task``: decisions, space and data set; ``likeness`` holds the fingerprints of the data.
    """

    paths: Sequence[Path]
    measure: str
    values: Mapping[Arch, tuple[float, ...]]  # by architecture, a value a sweep
    figures: Mapping[Arch, Json]  # metrics and costs by name, means over the sweeps
    task: Json
    likeness: Fields
    error_kind: str

    def mean(self, arch: Arch) -> float:
        """Return the mean value of an architecture."""
        return fmean(self.values[arch])

    def feasible(self, limits: Limits) -> list[Arch]:
        """Return the architectures within ``limits``, best first."""
        return sorted((arch for arch, figures in self.figures.items() if _within(figures, limits)), key=self.mean)


@dataclass(frozen=True)
class Score:
    """The architecture that a search found: its cost, its value in the sweeps, and the best value within the limits.

    ``rank`` counts from 1 among the feasible; it and ``regret`` are None where the architecture is not feasible.
    The regret of several sweeps is the mean of their differences.
    """

    label: str
    seed: int
    notation: str
    params: float | None
    value: Figure
    best: Figure
    rank: int | None
    of: int
    regret: Figure | None


def make(found: Sequence[Run], regret: str) -> Content:
    """Return the regret of each search among ``found`` to the sweeps at or below ``regret``, and their means."""
    sweep = _sweep(find([regret]))
    swept = {path.resolve() for path in sweep.paths}
    runs = [run for run in found if run.path.resolve() not in swept]
    scored = [run for run in runs if _is_of_task(run, sweep)]
    rows = distinct(methods(scored))
    if not rows:
        raise RequestError(
            f"regret={regret}: none of these is a finished search of the sweep's space and data set, alike in every "
            "setting of both; give such searches"
        )
    feasible = cache(partial(_feasible, sweep))  # hundreds of searches share a limit
    scores = [_score(run, row.label, sweep, feasible) for row in rows for run in row.runs]
    scores.sort(key=lambda score: (score.label, score.seed))
    return Content(
        [_grid(scores, sweep, len(runs) - len(scored), rows), *_ranking(scores, rows)],
        lines=lambda: [_line(score, sweep.measure) for score in scores],
        record=lambda: {"searches": [_line(score, sweep.measure) for score in scores]},
        rows=rows,
    )


def _line(score: Score, measure: str) -> Line:
    """Return a score with full numbers."""
    return {
        **{"method": score.label, "seed": score.seed, "found": score.notation, "params": score.params},
        **{measure: abs(score.value.mean), f"{measure}_std": score.value.std, "best_within": abs(score.best.mean)},
        "regret": None if score.regret is None else score.regret.mean,
        "regret_std": None if score.regret is None else score.regret.std,
        **{"rank": score.rank, "of": score.of},
    }


def _sweep(found: Sequence[Run]) -> Sweep:
    runs = _of_one_kind(found)
    evaluated, first = [_evaluated(run) for run in runs], runs[0]
    for run, part in zip(runs, evaluated, strict=True):
        if part.keys() != evaluated[0].keys():
            raise damaged(run, "trials.jsonl", f"holds other architectures than that of {first.path}")
    measure, sign = first.objective, first.sign
    values = {arch: tuple(sign * float(part[arch][measure]) for part in evaluated) for arch in evaluated[0]}
    kind = str(first.result.get("error_kind"))
    return Sweep([run.path for run in runs], measure, values, _means(evaluated), _task(first), shared(runs), kind)


def _means(evaluated: Sequence[Mapping[Arch, Json]]) -> dict[Arch, Json]:
    """Return the mean of each metric and cost that all sweeps record of all architectures."""
    names = dict.fromkeys(evaluated[0][next(iter(evaluated[0]))])
    every = [figures for part in evaluated for figures in part.values()]
    known = [name for name in names if all(finite(figures.get(name)) is not None for figures in every)]
    return {arch: {name: fmean(part[arch][name] for part in evaluated) for name in known} for arch in evaluated[0]}


def _feasible(sweep: Sweep, limits: Limits) -> tuple[list[Arch], list[float]]:
    """Return the architectures within ``limits``, best first, and their values."""
    found = sweep.feasible(limits)
    return found, list(map(sweep.mean, found))


def _of_one_kind(found: Sequence[Run]) -> Sequence[Run]:
    """Return the sweeps of a folder, each seed once, or raise `RequestError` if they have no common mean."""
    first = found[0]
    for run in found[1:]:
        if run.method != first.method or len(groups([first, run])) > 1:
            unlike = ", ".join(name for name in differing(fields(first), fields(run)) if name != "origin")
            raise RequestError(
                f"regret: {run.path} and {first.path} are sweeps of different settings ({run.method} and "
                f"{first.method}), which have no common mean{f' (they differ in {unlike})' if unlike else ''}; name "
                "one, or sweeps that differ in their seeds alone"
            )
    counted = once(found)
    if counted.faults:
        raise RequestError(f"regret: {counted.faults[0]} Name one of them")
    return counted.runs


def _evaluated(run: Run) -> dict[Arch, Json]:
    """Return metrics and costs of all architectures of the space, or raise `RequestError`."""
    measure, size = run.objective, _size(run)
    every = comparable(run, "arch", "metrics")
    found = {trial.arch: trial.figures for trial in every if finite(trial.metrics.get(measure)) is not None}
    if run.status != "finished" or len(found) < size:
        raise RequestError(
            f"regret={run.path}: is no finished sweep of a whole space ({run.unfinished()}, {len(found):,} "
            "architectures with their values); finish it, or name one such as nasctl search +experiment=ffn_sweep makes"
        )
    return found


def _size(run: Run) -> int:
    """Return the number of architectures of a run's space, or raise `RequestError` where that is not known."""
    size = run.result.get("space_size", 1)
    if size is None:
        raise RequestError(
            f"regret={run.path}: the size of its space {run.choices.get('space')} is not known, since architectures "
            "there differ in length, so nothing says that the run evaluated all of them; name a sweep of another space"
        )
    return int(size)


def _task(run: Run) -> Json:
    """Return the run's decisions with their options, its space and its data set."""
    nodes = {name: (run.choices.get(name), _settings(run.config.get(name) or {})) for name in ("space", "dataset")}
    return {"decisions": content(run, "decisions.json", {}), **nodes}


def _settings(node: Json) -> Json:
    return {key: value for key, value in node.items() if key not in NOT_SIGNED}


def _is_of_task(run: Run, sweep: Sweep) -> bool:
    """Return whether ``run`` is a finished search of the sweep's space and data set, with no unequal fingerprint."""
    if run.verb != "search" or run.status != "finished" or _task(run) != sweep.task:
        return False
    return agree(fields(run), sweep.likeness, "data")


def _within(metrics: Json, limits: Limits) -> bool:
    return all(metrics[name] <= limit for name, limit in limits)


def _score(run: Run, label: str, sweep: Sweep, feasible: Callable[[Limits], tuple[list[Arch], list[float]]]) -> Score:
    replica = run.result.get("replica")
    arch = tuple((replica or content(run, "architecture.json", {})).get("arch") or ())
    if arch not in sweep.values:
        file = "architecture.json" if replica is None else "replicas.jsonl"
        raise damaged(run, file, f"{list(arch)} is no architecture of the sweep")
    figures, limits = sweep.figures[arch], _limits(run, sweep)
    inside, ordered = feasible(limits)
    if not inside:
        raise RequestError(f"{run.path}: the sweep has no architecture within {dict(limits)}; it is of another space")
    found, best = sweep.values[arch], sweep.values[inside[0]]
    is_within = _within(figures, limits)
    return Score(
        label=label,
        seed=run.result["seed"],
        notation="-".join(_names(arch, sweep)),
        params=figures.get("params"),
        value=Figure.over(found),
        best=Figure.over(best),
        rank=bisect_left(ordered, sweep.mean(arch)) + 1 if is_within else None,
        of=len(inside),
        regret=Figure.over([a - b for a, b in zip(found, best, strict=True)]) if is_within else None,
    )


def _names(arch: Arch, sweep: Sweep) -> list[str]:
    decisions = list(sweep.task["decisions"].values())
    fits = len(decisions) == len(arch) and within(decisions, arch)
    return [options[k] for options, k in zip(decisions, arch, strict=True)] if fits else list(map(str, arch))


def _limits(run: Run, sweep: Sweep) -> Limits:
    recorded = next(iter(sweep.figures.values()))
    missing = [name for name in run.limits if name not in recorded]
    if missing:
        raise RequestError(
            f"{run.path}: a limit on {missing[0]} cannot be judged by a sweep that records {', '.join(recorded)}; "
            "leave the run out"
        )
    return tuple(run.limits.items())


def _grid(scores: Sequence[Score], sweep: Sweep, left_out: int, rows: Sequence[Method]) -> Grid:
    paths = ", ".join(map(str, sweep.paths))
    remarks = [
        f"{sweep.measure} by the sweep {paths}; regret: the value found minus the best one within the "
        "same limit; none where the architecture found exceeds the limit. Architectures of equal value share the "
        "better rank.",
        *of_rows(rows),
    ]
    if len(sweep.paths) > 1:
        remarks.append(
            f"{sweep.measure} is the mean of {len(sweep.paths)} sweeps, ± the sample standard deviation over them; "
            "that of a regret is of the differences sweep by sweep."
        )
    if left_out:
        remarks.append(f"Left out: {left_out} runs that are unfinished or of another space or data set.")
    if sweep.error_kind == TEST_REWARD:
        remarks.append("The sweep's values are of test accuracies.")
    return grid("Regret to the sweep", [_cells(score, sweep.measure) for score in scores], remarks)


def _ranking(scores: Sequence[Score], found: Sequence[Method]) -> Iterator[Grid]:
    """Yield the methods by their mean regret, and the differences of those that share seeds."""
    parts = {score.label: [s for s in scores if s.label == score.label] for score in scores}
    known = {name: {s.seed: s.regret.mean for s in group if s.regret is not None} for name, group in parts.items()}
    order = sorted(parts, key=lambda label: fmean(known[label].values()) if known[label] else math.inf)
    rows = [_method_cells(label, parts[label], Figure.of(known[label].values())) for label in order]
    yield grid("Methods by mean regret", rows, _RANKING)
    limits = {row.label: limit_of(row.likeness) for row in found}
    pairs = combinations(((label, known[label]) for label in order), 2)
    equal = [(a, b) for a, b in pairs if limits[a[0]] == limits[b[0]]]
    differences = paired_differences(equal)
    if differences:
        remarks = ["Negative favours the first. Of seeds, those count whose finding is within the limit."]
        remarks += ["Methods are compared under equal limits alone."] * (len(set(limits.values())) > 1)
        remarks += interval.remarks([each.difference for each in differences])
        yield grid("Differences of mean regret", [each.cells(_DECIMALS) for each in differences], remarks)


def _method_cells(label: str, group: Sequence[Score], mean: Figure | None) -> Cells:
    ranks = [score.rank for score in group if score.rank is not None]
    return {
        "method": label,
        "searches": str(len(group)),
        "within the limit": str(len(ranks)),
        "mean regret": "" if mean is None else mean.text(_DECIMALS),
        "median rank": _median(ranks) if ranks else "",
    }


def _median(ranks: Sequence[int]) -> str:
    """Return the median with its interval, of too few ranks with the least and the greatest."""
    found = bounds(ranks, LEVEL)
    if found is None:
        return f"{median(ranks):g} ({min(ranks)} to {max(ranks)})"
    return f"{median(ranks):g} [{found[0]:g}, {found[1]:g}]"


def _cells(score: Score, measure: str) -> Cells:
    return {
        "method": score.label,
        "seed": str(score.seed),
        "found": score.notation,
        "params": count(score.params, 2),
        measure: _text(score.value),
        "best within": _text(score.best),
        "regret": "infeasible" if score.regret is None else _text(score.regret),
        "rank": "" if score.rank is None else f"{score.rank} of {score.of:,}",
    }


def _text(figure: Figure) -> str:
    """Return the absolute mean, with the deviation over sweeps where there are several."""
    spread = "" if figure.std is None else f" ± {figure.std:.{_DECIMALS}f}"
    return f"{abs(figure.mean):.{_DECIMALS}f}{spread}"


VIEW = View(
    summary="what searches lose against sweeps of the whole space",
    value="SWEEPS",
    make=make,
)
