"""The trade-off between a cost and what a search measured: the Pareto front of its trials, and a reference on it.

Yang et al. 2022, https://arxiv.org/abs/2204.07615, section 4: an architecture on the front gives the limit under
which searches are compared, and what they are compared with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from nasctl.core import RequestError
from nasctl.report import view
from nasctl.report.document import Cells, Grid, grid
from nasctl.report.plot import canvas
from nasctl.report.record import Run, find, trials
from nasctl.text import plot_label


@dataclass(frozen=True)
class Point:
    """An architecture: its name, cost, value (lower is better) and all metrics, means of ``n`` evaluations."""

    name: str
    cost: float
    value: float
    metrics: Mapping[str, float]
    n: int = 1

    @property
    def bottleneck(self) -> bool:
        return self.metrics.get("bottlenecks", 0) > 0


def show(paths: Sequence[str], *, pareto: str, format: str, plot: str | None, overwrite: bool) -> str:
    """Return the front of all trials of the runs at or below ``paths``, by the cost ``pareto``; ``plot`` is a file.

    The value is the reward's metric; what several seeds of one search evaluated counts by its mean.
    `RequestError` for runs without such trials or of different metrics.
    """
    view.check(format, plot, overwrite)
    runs = [run for run in find(paths) if run.verb == "search"]
    measure = _measure(runs)
    points = _means((run.method, point) for run in runs for point in _points(run, pareto, measure))
    if not points:
        raise RequestError(
            f"pareto={pareto}: no trial of these runs has both {pareto} and {measure}; "
            "give a search that records them, such as nasctl search +experiment=ffn_sweep"
        )
    found = front(points)
    if plot is not None:
        view.save(_drawn(points, found, pareto, measure), plot)
    return view.text([_grid(points, found, pareto, measure)], format)


def _means(points: Iterable[tuple[str | None, Point]]) -> list[Point]:
    """Return one point for each method and name."""
    groups: dict[tuple[str | None, str], list[Point]] = {}
    for method, point in points:
        groups.setdefault((method, point.name), []).append(point)
    return [_joined(group) if len(group) > 1 else group[0] for group in groups.values()]


def _joined(group: Sequence[Point]) -> Point:
    names = set.intersection(*(set(point.metrics) for point in group))
    metrics = {name: fmean(point.metrics[name] for point in group) for name in names}
    return Point(group[0].name, group[0].cost, fmean(point.value for point in group), metrics, len(group))


def front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other one beats in cost and value, by rising cost."""
    found: list[Point] = []
    for point in sorted(points, key=lambda p: (p.cost, p.value, p.name)):
        if not found or point.value < found[-1].value:
            found.append(point)
    return found


def reference(found: Sequence[Point]) -> Point:
    """Return the knee of a front: farthest below the line between its ends, costs in logarithms.

    A bottleneck is taken where the front has one besides its ends.
    """
    first, last = found[0], found[-1]
    inner = [point for point in found[1:-1] if point.bottleneck] or list(found[1:-1]) or [first]
    length = math.log(last.cost / first.cost) or 1.0

    def below(point: Point) -> float:
        share = math.log(point.cost / first.cost) / length
        return first.value + share * (last.value - first.value) - point.value

    return max(inner, key=below)


def hypervolume(points: Sequence[Point], found: Sequence[Point]) -> float | None:
    """Return the share of the box around ``points`` that the front ``found`` dominates, costs in logarithms.

    None without the extra ``front`` (moocore), or where the box is flat. Zitzler and Thiele 1999,
    https://doi.org/10.1109/4235.797969.
    """
    try:
        import moocore
    except ImportError:
        return None
    box = [(math.log(point.cost), point.value) for point in points]
    low, high = (tuple(map(choose, zip(*box, strict=True))) for choose in (min, max))
    if any(a == b for a, b in zip(low, high, strict=True)):
        return None
    scaled = [
        [(value - a) / (b - a) for value, a, b in zip((math.log(p.cost), p.value), low, high, strict=True)]
        for p in found
    ]
    return float(moocore.hypervolume(scaled, ref=[1.0, 1.0]))


def _measure(runs: Sequence[Run]) -> str:
    measures = {(run.config.get("reward") or {}).get("name") for run in runs if run.config.get("reward")}
    if len(measures) != 1:
        raise RequestError(f"pareto: the runs' rewards are of {len(measures)} metrics, one is needed; give fewer runs")
    return str(measures.pop())


def _points(run: Run, resource: str, measure: str) -> Iterator[Point]:
    path = run.path / "decisions.json"
    options = list(json.loads(path.read_text()).values()) if path.exists() else []
    sign = -1.0 if run.config["reward"].get("maximize") else 1.0
    for line in trials(run):
        metrics = line["metrics"] or {}
        if resource in metrics and measure in metrics:
            names = [choices[k] for choices, k in zip(options, line["arch"], strict=False)]
            yield Point("-".join(names or map(str, line["arch"])), metrics[resource], sign * metrics[measure], metrics)


def _grid(points: Sequence[Point], found: Sequence[Point], resource: str, measure: str) -> Grid:
    chosen = reference(found)
    rows = [_cells(point, resource, measure, point is chosen) for point in found]
    marked = sum(point.bottleneck for point in found)
    remarks = [
        f"{len(found)} of {len(points):,} architectures are on the front; {marked} of these have a bottleneck, which "
        f"{sum(point.bottleneck for point in points):,} of all have.",
        f"reference: {chosen.name}, the knee; its cost as the limit of a search: "
        f"constraint={resource} constraint.limit={chosen.cost:.0f}",
    ]
    if (most := max(point.n for point in points)) > 1:
        remarks.append(f"{measure} is the mean of up to {most} evaluations by one search and its seeds.")
    volume = hypervolume(points, found)
    if volume is not None:
        remarks.append(f"hypervolume: {volume:.4f} of the box around all architectures, costs in logarithms.")
    return grid(f"{measure} against {resource}", rows, remarks)


def _cells(point: Point, resource: str, measure: str, chosen: bool) -> Cells:
    shown = {
        name: f"{point.metrics[name]:.5g}" for name in dict.fromkeys([measure, "error", "auc"]) if name in point.metrics
    }
    marks = ["bottleneck"] * point.bottleneck + ["reference"] * chosen
    return {"architecture": point.name, resource: f"{point.cost:,.0f}", **shown, "mark": ", ".join(marks)}


def _drawn(points: Sequence[Point], found: Sequence[Point], resource: str, measure: str) -> Any:
    figure, axes = canvas(1)
    parts = {"without a bottleneck": False, "with a bottleneck": True}
    for label, bottleneck in parts.items():
        some = [point for point in points if point.bottleneck == bottleneck]
        axes.scatter(
            [p.cost for p in some], [p.metrics[measure] for p in some], s=4, alpha=0.4, label=plot_label(label)
        )
    axes.plot([p.cost for p in found], [p.metrics[measure] for p in found], color="black", linewidth=1, label="front")
    axes.set(xscale="log", xlabel=resource, ylabel=measure)
    axes.legend(fontsize="small")
    return figure
