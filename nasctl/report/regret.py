"""What searches lose against a sweep that evaluated every architecture: the regret of what each of them found.

The reference is the best architecture of the sweep within the search's own limit, by the sweep's measure; the found
architecture is scored by the sweep too, so a search's own luck is left out. Sweeps of several seeds count by the mean
of each architecture, since the best of many single trainings is the luckiest one. Regret is the simple regret of what
is recommended: Bubeck et al. 2009, https://arxiv.org/abs/0802.2655.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean, median

from nasctl.core import RequestError
from nasctl.report import view
from nasctl.report.document import Cells, Grid, grid
from nasctl.report.figure import Figure, count
from nasctl.report.interval import welch
from nasctl.report.label import distinct
from nasctl.report.method import methods
from nasctl.report.record import Json, Run, find, trials

Arch = tuple[int, ...]
COSTS = ("params", "macs")
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

    def feasible(self, limits: Mapping[str, float]) -> list[float]:
        """Return the values within ``limits``, by cost, best first."""
        inside = (a for a, m in self.metrics.items() if all(m[name] <= limit for name, limit in limits.items()))
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
    rows = distinct(methods(run for run in find(paths) if _alike(run, sweep)))
    if not rows:
        raise RequestError(
            f"regret={regret}: none of these is a finished search of the sweep's space and data set, alike in every "
            "setting of both; give such searches"
        )
    scores = [_score(run, row.label, sweep) for row in rows for run in row.runs]
    scores.sort(key=lambda score: (score.label, score.seed))
    return view.text([_grid(scores, sweep), *_ranking(scores)], format)


def _sweep(runs: Sequence[Run]) -> Sweep:
    swept, first = [_swept(run) for run in runs], runs[0]
    reward, task = first.config.get("reward") or {}, _task(first)
    for run in runs[1:]:
        if (run.config.get("reward") or {}, _task(run)) != (reward, task):
            raise RequestError(
                f"regret: {run.path} and {first.path} are sweeps of different rewards, spaces or data sets, which have "
                "no common mean; name one of them"
            )
    measure, sign = str(reward.get("name")), -1.0 if reward.get("maximize") else 1.0
    names = (measure, *COSTS)
    metrics = {arch: {name: fmean(part[arch][name] for part in swept) for name in names} for arch in swept[0]}
    values = {arch: sign * each[measure] for arch, each in metrics.items()}
    return Sweep([run.path for run in runs], measure, values, metrics, task)


def _swept(run: Run) -> dict[Arch, Json]:
    """Return the metrics of all architectures of the space, or raise `RequestError`."""
    needed = {str((run.config.get("reward") or {}).get("name")), *COSTS}
    found = {tuple(line["arch"]): line["metrics"] for line in trials(run) if needed <= (line["metrics"] or {}).keys()}
    if run.status != "finished" or len(found) < max(1, run.result.get("space_size", 1)):
        raise RequestError(
            f"regret={run.path}: is no finished sweep of a whole space ({len(found):,} architectures with their "
            "costs); name one, such as nasctl search +experiment=ffn_sweep makes"
        )
    return found


def _task(run: Run) -> Json:
    """Return the run's decisions with their options, its space and its data set."""
    path = run.path / "decisions.json"
    groups = {name: (run.choices.get(name), _settings(run.config.get(name) or {})) for name in ("space", "dataset")}
    return {"decisions": json.loads(path.read_text()) if path.exists() else {}, **groups}


def _settings(node: Json) -> Json:
    return {key: value for key, value in node.items() if key not in PLACES}


def _alike(run: Run, sweep: Sweep) -> bool:
    """Return whether ``run`` is a finished search of what the sweep swept."""
    if run.verb != "search" or run.status != "finished" or run.path.resolve() in {p.resolve() for p in sweep.paths}:
        return False
    return _task(run) == sweep.task


def _score(run: Run, label: str, sweep: Sweep) -> Score:
    found = run.result.get("replica") or json.loads((run.path / "architecture.json").read_text())
    arch = tuple(found["arch"])
    inside, metrics = sweep.feasible(limits := _limits(run)), sweep.metrics[arch]
    if not inside:
        raise RequestError(f"{run.path}: the sweep has no architecture within {limits}; it is of another space")
    feasible = all(metrics[name] <= limit for name, limit in limits.items())
    value = sweep.values[arch]
    return Score(
        label=label,
        seed=run.result["seed"],
        notation="-".join(_names(arch, sweep)),
        params=metrics["params"],
        value=value,
        best=inside[0],
        rank=bisect_left(inside, value) + 1 if feasible else None,
        of=len(inside),
    )


def _names(arch: Arch, sweep: Sweep) -> list[str]:
    return [options[k] for options, k in zip(sweep.task["decisions"].values(), arch, strict=True)]


def _limits(run: Run) -> dict[str, float]:
    unpriced = [name for name in run.limits if name not in COSTS]
    if unpriced:
        raise RequestError(f"{run.path}: a limit on {unpriced[0]} cannot be judged by a sweep; leave the run out")
    return run.limits


def _grid(scores: Sequence[Score], sweep: Sweep) -> Grid:
    paths = ", ".join(map(str, sweep.paths))
    remarks = [
        f"{sweep.measure} by the sweep {paths}; regret: found less the best within the same limit; none where "
        "what was found exceeds it.",
        *[f"{sweep.measure} is the mean of {len(sweep.paths)} sweeps."] * (len(sweep.paths) > 1),
    ]
    return grid("Regret to the sweep", [_cells(score, sweep.measure) for score in scores], remarks)


def _ranking(scores: Sequence[Score]) -> Iterator[Grid]:
    """Yield the methods by their mean regret, and the differences of the means where there are several."""
    groups = {score.label: [s for s in scores if s.label == score.label] for score in scores}
    means = {label: Figure.of(s.regret for s in group if s.regret is not None) for label, group in groups.items()}
    known = {label: mean for label, mean in means.items() if mean is not None}
    order = sorted(known, key=lambda label: known[label].mean)
    order += sorted(groups.keys() - known.keys())
    rows = [_method_cells(label, groups[label], means[label]) for label in order]
    yield grid("Methods by mean regret", rows, ["Mean ± std over the searches whose finding is within the limit."])
    differences = [
        {"method": a, "less": b, "difference, 95 % interval": welch(known[a], known[b]).text(5)}
        for a, b in combinations(filter(known.get, order), 2)
    ]
    if differences:
        yield grid("Differences of mean regret", differences, ["Negative favours the first; intervals by Welch's t."])


def _method_cells(label: str, group: Sequence[Score], mean: Figure | None) -> Cells:
    ranks = [score.rank for score in group if score.rank is not None]
    return {
        "method": label,
        "searches": str(len(group)),
        "within the limit": str(len(ranks)),
        "mean regret": "" if mean is None else _mean(mean),
        "median rank": f"{median(ranks):g}" if ranks else "",
    }


def _mean(figure: Figure) -> str:
    return f"{figure.mean:.5f}" + ("" if figure.std is None else f" ± {figure.std:.5f}") + f" (n={figure.n})"


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
