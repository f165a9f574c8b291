"""What searches lose against a sweep that evaluated every architecture: the regret of what each of them found.

The reference is the best architecture of the sweep within the search's own limit, by the sweep's measure; the found
architecture is scored by the sweep too, so a search's own luck is left out. Regret is the simple regret of what is
recommended: Bubeck et al. 2009, https://arxiv.org/abs/0802.2655.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nasctl.core import RequestError
from nasctl.report import view
from nasctl.report.document import Cells, Grid, grid
from nasctl.report.figure import Figure, count
from nasctl.report.record import Json, Run, find, read, trials
from nasctl.report.replicas import apart

Arch = tuple[int, ...]
COSTS = ("params", "macs")
PLACES = ("download", "workers", "root")  # settings of a data set that touch no figure


@dataclass(frozen=True)
class Sweep:
    """The values (lower is better) and metrics of all architectures; ``task`` is what searches must share."""

    path: Path
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
    """Return the regret of each search at or below ``paths`` to the sweep whose run directory is ``regret``."""
    view.check(format)
    sweep = _sweep(read(Path(regret)))
    runs = [part for run in find(paths) if _alike(run, sweep) for part in apart(run)]
    if not runs:
        raise RequestError(
            f"regret={regret}: none of these is a finished search of the sweep's space and data set, alike in every "
            "setting of both; give such searches"
        )
    return view.text([_grid([_score(run, sweep) for run in runs], sweep)], format)


def _sweep(run: Run) -> Sweep:
    reward = run.config.get("reward") or {}
    measure, sign = str(reward.get("name")), -1.0 if reward.get("maximize") else 1.0
    found = {tuple(line["arch"]): line["metrics"] for line in trials(run) if line["metrics"]}
    metrics = {arch: each for arch, each in found.items() if measure in each and all(name in each for name in COSTS)}
    if run.status != "finished" or len(metrics) < max(1, run.result.get("space_size", 1)):
        raise RequestError(
            f"regret={run.path}: is no finished sweep of a whole space ({len(metrics):,} architectures with their "
            "costs); name one, such as nasctl search +experiment=ffn_sweep makes"
        )
    values = {arch: sign * each[measure] for arch, each in metrics.items()}
    return Sweep(run.path, measure, values, metrics, _task(run))


def _task(run: Run) -> Json:
    """Return the run's decisions with their options, its space and its data set."""
    path = run.path / "decisions.json"
    groups = {name: (run.choices.get(name), _settings(run.config.get(name) or {})) for name in ("space", "dataset")}
    return {"decisions": json.loads(path.read_text()) if path.exists() else {}, **groups}


def _settings(node: Json) -> Json:
    return {key: value for key, value in node.items() if key not in PLACES}


def _alike(run: Run, sweep: Sweep) -> bool:
    """Return whether ``run`` is a finished search of what the sweep swept."""
    if run.verb != "search" or run.status != "finished" or run.path.resolve() == sweep.path.resolve():
        return False
    return _task(run) == sweep.task


def _score(run: Run, sweep: Sweep) -> Score:
    found = run.result.get("replica") or json.loads((run.path / "architecture.json").read_text())
    arch = tuple(found["arch"])
    inside, metrics = sweep.feasible(limits := _limits(run)), sweep.metrics[arch]
    if not inside:
        raise RequestError(f"{run.path}: the sweep has no architecture within {limits}; it is of another space")
    feasible = all(metrics[name] <= limit for name, limit in limits.items())
    value = sweep.values[arch]
    return Score(
        label=str(run.config.get("label") or run.choices.get("strategy")),
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
    ordered = sorted(scores, key=lambda score: (score.label, score.seed))
    groups = {label: [s for s in ordered if s.label == label] for label in dict.fromkeys(s.label for s in ordered)}
    means = {label: Figure.of(s.regret for s in group if s.regret is not None) for label, group in groups.items()}
    remarks = [
        f"{sweep.measure} by the sweep {sweep.path}; regret: found less the best within the same limit; none where "
        "what was found exceeds it.",
        *(f"{label}: mean regret {_mean(mean)}." for label, mean in means.items() if mean is not None),
    ]
    return grid("Regret to the sweep", [_cells(score, sweep.measure) for score in ordered], remarks)


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
