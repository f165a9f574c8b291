"""What searches lose against a sweep that evaluated every architecture: the regret of what each of them found.

The reference is the best architecture of the sweep within the search's own limit, by the sweep's measure; the found
architecture is scored by the sweep too, so a search's own luck is left out. Sweeps of several seeds count by the mean
of each architecture, since the best of many single trainings is the luckiest one. Regret is the simple regret of what
is recommended: Bubeck et al. 2009, https://arxiv.org/abs/0802.2655.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from statistics import fmean, median

from nasctl.core import RequestError
from nasctl.report import view
from nasctl.report.contrast import contrast
from nasctl.report.document import Cells, Grid, grid
from nasctl.report.figure import Figure, count
from nasctl.report.label import distinct
from nasctl.report.method import methods
from nasctl.report.record import Json, Run, find, trials

Arch = tuple[int, ...]
Limits = tuple[tuple[str, float], ...]
"""Pairs of a cost and the most that it may be."""

COSTS = ("params", "macs")
_DECIMALS = 5  # of a regret
PLACES = ("download", "workers", "root")  # settings of a data set that touch no figure


@dataclass(frozen=True)
class Sweep:
    """The values (lower is better) and metrics of all architectures, means over the seeds of the sweeps at ``paths``.

    ``task`` is what searches must share.
    """

    paths: Sequence[Path]
    measure: str
    values: Mapping[Arch, float]
    metrics: Mapping[Arch, Json]
    task: Json

    def feasible(self, limits: Limits) -> list[float]:
        """Return the values within ``limits``, best first."""
        inside = (arch for arch, metrics in self.metrics.items() if _within(metrics, limits))
        return sorted(self.values[arch] for arch in inside)


@dataclass(frozen=True)
class Score:
    """A search: what it found costs and is worth to the sweep, and the best there was within its limits.

    ``rank`` counts from 1 among the feasible; it and ``regret`` are None where the found one is not feasible.
    """

    label: str
    seed: int
    notation: str
    params: float
    value: float
    best: float
    rank: int | None
    of: int

    @property
    def regret(self) -> float | None:
        return None if self.rank is None else self.value - self.best


def show(paths: Sequence[str], *, regret: str, format: str) -> str:
    """Return the regret of each search at or below ``paths`` to the sweeps at or below ``regret``, and their means."""
    view.check(format)
    sweep = _sweep(find([regret]))
    swept = {path.resolve() for path in sweep.paths}
    runs = [run for run in find(paths) if run.path.resolve() not in swept]
    scored = [run for run in runs if _alike(run, sweep)]
    rows = distinct(methods(scored))
    if not rows:
        raise RequestError(
            f"regret={regret}: none of these is a finished search of the sweep's space and data set, alike in every "
            "setting of both; give such searches"
        )
    feasible = cache(sweep.feasible)  # hundreds of searches share a limit
    scores = [_score(run, row.label, sweep, feasible) for row in rows for run in row.runs]
    scores.sort(key=lambda score: (score.label, score.seed))
    return view.text([_grid(scores, sweep, len(runs) - len(scored)), *_ranking(scores)], format)


def _sweep(runs: Sequence[Run]) -> Sweep:
    evaluated, first = [_evaluated(run) for run in runs], runs[0]
    for run in runs[1:]:
        if run.method != first.method:
            raise RequestError(
                f"regret: {run.path} and {first.path} are sweeps of different settings ({run.method} and "
                f"{first.method}), which have no common mean; name one, or sweeps that differ in their seeds alone"
            )
    reward, names = first.config["reward"], (_measure(first), *COSTS)
    metrics = {arch: {name: fmean(part[arch][name] for part in evaluated) for name in names} for arch in evaluated[0]}
    sign = -1.0 if reward.get("maximize") else 1.0
    values = {arch: sign * each[names[0]] for arch, each in metrics.items()}
    return Sweep([run.path for run in runs], names[0], values, metrics, _task(first))


def _measure(run: Run) -> str:
    return str((run.config.get("reward") or {}).get("name"))


def _evaluated(run: Run) -> dict[Arch, Json]:
    """Return the metrics of all architectures of the space, or raise `RequestError`."""
    needed, size = {_measure(run), *COSTS}, run.result.get("space_size", 1)
    found = {tuple(line["arch"]): line["metrics"] for line in trials(run) if needed <= (line["metrics"] or {}).keys()}
    if run.status != "finished" or len(found) < size:
        raise RequestError(
            f"regret={run.path}: is no finished sweep of a whole space ({run.unfinished()}, {len(found):,} "
            "architectures with their costs); finish it, or name one such as nasctl search +experiment=ffn_sweep makes"
        )
    return found


def _task(run: Run) -> Json:
    """Return the run's decisions with their options, its space and its data set."""
    path = run.path / "decisions.json"
    groups = {name: (run.choices.get(name), _settings(run.config.get(name) or {})) for name in ("space", "dataset")}
    return {"decisions": json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}, **groups}


def _settings(node: Json) -> Json:
    return {key: value for key, value in node.items() if key not in PLACES}


def _alike(run: Run, sweep: Sweep) -> bool:
    """Return whether ``run`` is a finished search of what the sweep swept."""
    return run.verb == "search" and run.status == "finished" and _task(run) == sweep.task


def _within(metrics: Json, limits: Limits) -> bool:
    return all(metrics[name] <= limit for name, limit in limits)


def _score(run: Run, label: str, sweep: Sweep, feasible: Callable[[Limits], list[float]]) -> Score:
    found = run.result.get("replica") or json.loads((run.path / "architecture.json").read_text(encoding="utf-8"))
    arch = tuple(found["arch"])
    inside, metrics, value = feasible(limits := _limits(run)), sweep.metrics[arch], sweep.values[arch]
    if not inside:
        raise RequestError(f"{run.path}: the sweep has no architecture within {dict(limits)}; it is of another space")
    return Score(
        label=label,
        seed=run.result["seed"],
        notation="-".join(_names(arch, sweep)),
        params=metrics["params"],
        value=value,
        best=inside[0],
        rank=bisect_left(inside, value) + 1 if _within(metrics, limits) else None,
        of=len(inside),
    )


def _names(arch: Arch, sweep: Sweep) -> list[str]:
    return [options[k] for options, k in zip(sweep.task["decisions"].values(), arch, strict=True)]


def _limits(run: Run) -> Limits:
    unpriced = [name for name in run.limits if name not in COSTS]
    if unpriced:
        raise RequestError(f"{run.path}: a limit on {unpriced[0]} cannot be judged by a sweep; leave the run out")
    return tuple(run.limits.items())


def _grid(scores: Sequence[Score], sweep: Sweep, left_out: int) -> Grid:
    paths = ", ".join(map(str, sweep.paths))
    remarks = [
        f"{sweep.measure} by the sweep {paths}; regret: found less the best within the same limit; none where "
        "what was found exceeds it.",
    ]
    if len(sweep.paths) > 1:
        remarks.append(f"{sweep.measure} is the mean of {len(sweep.paths)} sweeps.")
    if left_out:
        remarks.append(f"Left out: {left_out} runs that are unfinished or of another space or data set.")
    return grid("Regret to the sweep", [_cells(score, sweep.measure) for score in scores], remarks)


def _ranking(scores: Sequence[Score]) -> Iterator[Grid]:
    """Yield the methods by their mean regret, and the differences of those that share seeds."""
    groups = {score.label: [s for s in scores if s.label == score.label] for score in scores}
    known = {name: {s.seed: s.regret for s in group if s.regret is not None} for name, group in groups.items()}
    order = sorted(groups, key=lambda label: fmean(known[label].values()) if known[label] else math.inf)
    rows = [_method_cells(label, groups[label], Figure.of(known[label].values())) for label in order]
    yield grid("Methods by mean regret", rows, ["Mean ± std over the searches whose finding is within the limit."])
    pairs = combinations(((label, known[label]) for label in order), 2)
    differences = [cells for a, b in pairs for cells in contrast(a, b, _DECIMALS)]
    if differences:
        remark = (
            "Negative favours the first. Over shared seeds with both findings within the limit, with the 95 % interval "
            "by Student's t."
        )
        yield grid("Differences of mean regret, paired by seed", differences, [remark])


def _method_cells(label: str, group: Sequence[Score], mean: Figure | None) -> Cells:
    ranks = [score.rank for score in group if score.rank is not None]
    return {
        "method": label,
        "searches": str(len(group)),
        "within the limit": str(len(ranks)),
        "mean regret": "" if mean is None else mean.text(_DECIMALS),
        "median rank": f"{median(ranks):g}" if ranks else "",
    }


def _cells(score: Score, measure: str) -> Cells:
    return {
        "method": score.label,
        "seed": str(score.seed),
        "found": score.notation,
        "params": count(score.params, 2),
        measure: f"{abs(score.value):.5f}",
        "best within": f"{abs(score.best):.5f}",
        "regret": "infeasible" if score.regret is None else f"{score.regret:.5f}",
        "rank": "" if score.rank is None else f"{score.rank} of {score.of:,}",
    }
