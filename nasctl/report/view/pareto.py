"""The Pareto front of the trials of searches in cost and measured value, and a reference architecture on it.

Yang et al. 2022, https://arxiv.org/abs/2204.07615, section 4: the cost of a reference
architecture on the front is the limit of later searches, and its value their baseline.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from nasctl.errors import RequestError
from nasctl.report._read.duplicates import once
from nasctl.report._read.likeness import DIGITS, groups, groups_by, of_kind, shared
from nasctl.report._read.record import Run, content, damaged, finite, within
from nasctl.report._read.remarks import test_rewards
from nasctl.report._read.trial import comparable, recorded, trials
from nasctl.report.declaration import Content, Line, View
from nasctl.report.grid import Cells, Grid, grid
from nasctl.report.plot import canvas, save
from nasctl.terminal_text import plot_label

MEASURED = ("data", "dataset", "estimator", "trainer", "estimate")
"""Fields that the trials of one front must share, since they say how a trial was measured."""
_MOST = 3  # fields that a title names
_SHOWN = 24  # characters of each


@dataclass(frozen=True)
class Point:
    """An architecture: its name, cost, value (lower is better) and all metrics, means of ``n`` evaluations.

    ``std`` is the sample standard deviation of the values, None of one evaluation.
    """

    name: str
    cost: float
    value: float
    metrics: Mapping[str, float]
    n: int = 1
    std: float | None = None

    @property
    def bottleneck(self) -> bool:
        return self.metrics.get("bottlenecks", 0) > 0


@dataclass(frozen=True)
class Front:
    """All ``points`` of runs that share `MEASURED`, the points ``found`` on the front, and remarks."""

    runs: Sequence[Run]
    points: Sequence[Point]
    found: Sequence[Point]
    remarks: Sequence[str]


def make(given: Sequence[Run], pareto: str) -> Content:
    """Return the front of all trials of the searches among ``given``, by the cost ``pareto``.

    Runs of different data, or that trained and scored their trials by different settings, have a front each. The value
    is the reward's metric; what several seeds of one search evaluated counts by its mean.
    `RequestError` for runs without such trials or of different metrics.
    """
    runs = [run for run in given if run.verb == "search"]
    measure = _measure(runs)
    fronts = [found for group in groups_by(runs, *MEASURED) if (found := _front(group, pareto, measure)).points]
    if not fronts:
        raise _not_recorded(runs, pareto, measure)
    return Content(
        [_grid(each, fronts, pareto, measure) for each in fronts],
        lines=lambda: _lines(fronts, pareto, measure),
        record=lambda: {"points": list(_lines(fronts, pareto, measure))},
        draw=lambda file, kind: save(_drawn(fronts, pareto, measure), file, kind),
    )


def _lines(fronts: Sequence[Front], resource: str, measure: str) -> Iterator[Line]:
    """Yield every architecture with full numbers, front by front, and whether it is on the front."""
    for number, front in enumerate(fronts, start=1):
        on_front = set(map(id, front.found))
        for point in front.points:
            yield {
                "front": number,
                "architecture": point.name,
                resource: point.cost,
                **point.metrics,
                **{f"{measure}_std": point.std, "n": point.n, "on_front": id(point) in on_front},
            }


def _not_recorded(runs: Sequence[Run], resource: str, measure: str) -> RequestError:
    names = recorded(trial for run in runs for trial in comparable(run))
    known = f"they record {', '.join(names)}; name one of these, or give" if names else "give"
    return RequestError(
        f"pareto={resource}: no trial of these runs has both {resource} and {measure}; {known} a search that records "
        "it, such as nasctl search +experiment=ffn_sweep"
    )


def _front(runs: Sequence[Run], resource: str, measure: str) -> Front:
    """Return the front of runs that share `MEASURED`; a seed of a row counts once."""
    counted = [once(group) for group in groups(runs)]
    named = [(str(i), run) for i, each in enumerate(counted) for run in each.runs]
    points = _means((row, point) for row, run in named for point in _points(run, resource, measure))
    faults = [str(fault) for each in counted for fault in each.faults]
    return Front(tuple(runs), points, front(points), [*faults, *test_rewards(runs)])


def _means(points: Iterable[tuple[str, Point]]) -> list[Point]:
    """Return one point for each row and name."""
    parts: dict[tuple[str, str], list[Point]] = {}
    for row, point in points:
        parts.setdefault((row, point.name), []).append(point)
    return [_joined(group) if len(group) > 1 else group[0] for group in parts.values()]


def _joined(group: Sequence[Point]) -> Point:
    names = set.intersection(*(set(point.metrics) for point in group))
    metrics = {name: fmean(point.metrics[name] for point in group) for name in names}
    values = [point.value for point in group]
    return Point(group[0].name, group[0].cost, fmean(values), metrics, len(values), stdev(values))


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
    measures = sorted({run.objective for run in runs if run.config.get("reward")})
    if len(measures) != 1:
        known = f" ({', '.join(measures)})" if measures else ""
        raise RequestError(
            f"pareto: the runs' rewards are of {len(measures)} metrics{known}, one is needed; give fewer runs"
        )
    return measures[0]


def _points(run: Run, resource: str, measure: str) -> Iterator[Point]:
    options = list(content(run, "decisions.json", {}).values())
    for trial in comparable(run, "arch", "metrics"):
        cost, value = trial.figure(resource), finite(trial.metrics.get(measure))
        if cost is not None and cost > 0 and value is not None:  # costs are compared by their logarithms
            if options and not within(options, trial.arch):
                raise damaged(run, "trials.jsonl", f"{list(trial.arch)} is no architecture of decisions.json")
            names = [choices[k] for choices, k in zip(options, trial.arch, strict=False)]
            yield Point("-".join(names or map(str, trial.arch)), cost, run.sign * value, trial.figures)


def _grid(shown: Front, fronts: Sequence[Front], resource: str, measure: str) -> Grid:
    points, found = shown.points, shown.found
    chosen = reference(found)
    rows = [_cells(point, resource, measure, point is chosen) for point in found]
    marked = sum(point.bottleneck for point in found)
    remarks = [
        f"{len(found)} of {len(points):,} architectures are on the front; {marked} of these have a bottleneck, which "
        f"{sum(point.bottleneck for point in points):,} of all have.",
        f"reference: {chosen.name}, the knee; its cost as the limit of a search: "
        f"constraint={resource} constraint.limit={_amount(chosen.cost, '')}",
        *_ties(points, found),
        *_lower_fidelity(shown.runs),
        *shown.remarks,
    ]
    if (most := max(point.n for point in points)) > 1:
        remarks.append(
            f"{measure} is the mean of up to {most} evaluations by one search and its seeds, ± the sample standard "
            "deviation."
        )
    volume = hypervolume(points, found)
    if volume is not None:
        remarks.append(f"hypervolume: {volume:.4f} of the box around all architectures, costs in logarithms.")
    return grid(f"{measure} against {resource}{_named(shown, fronts)}", rows, remarks)


def _lower_fidelity(runs: Sequence[Run]) -> list[str]:
    """Return how many trials are left out because their run has some of higher fidelity."""
    left = sum(trial.succeeded for run in runs for trial in trials(run)) - sum(len(comparable(run)) for run in runs)
    return [f"Left out: {left:,} trials of a lower fidelity than the highest of their run."] * bool(left)


def _ties(points: Sequence[Point], found: Sequence[Point]) -> list[str]:
    """Return the rule by which one of equal points stands on the front, where there are some."""
    places = {(point.cost, point.value): point for point in found}
    tied = sum((point.cost, point.value) in places for point in points) - len(found)
    text = "of equal cost and value the first by name stands on the front"
    return [f"{tied} architectures tie with one on the front: {text}."] if tied else []


def _named(shown: Front, fronts: Sequence[Front]) -> str:
    """Return the fields that distinguish a front's runs from those of other fronts, in brackets; empty if alone."""
    known = [shared(each.runs) for each in fronts]
    own = shared(shown.runs)
    names = dict.fromkeys(name for each in known for name in each if of_kind(name, *MEASURED))
    unlike = [name for name in names if len({each.get(name) for each in known}) > 1]
    named = [
        f"{'data' if of_kind(name, 'data') else name} {_short(name, own[name])}" for name in unlike if name in own
    ][:_MOST]
    return f" ({', '.join(named) or 'data not recorded'})" if len(fronts) > 1 else ""


def _amount(cost: float, separator: str) -> str:
    """Return a count in full, with a separator of thousands, and what is measured with four digits."""
    return f"{cost:{separator}.0f}" if float(cost).is_integer() else f"{cost:.4g}"


def _short(name: str, value: Any) -> str:
    return str(value)[: DIGITS if name.startswith("data ") else _SHOWN]


def _cells(point: Point, resource: str, measure: str, chosen: bool) -> Cells:
    shown = {
        name: f"{point.metrics[name]:.5g}" for name in dict.fromkeys([measure, "error", "auc"]) if name in point.metrics
    }
    if point.std is not None:
        shown[measure] += f" ± {point.std:.2g} (n={point.n})"
    marks = ["bottleneck"] * point.bottleneck + ["reference"] * chosen
    return {"architecture": point.name, resource: _amount(point.cost, ","), **shown, "mark": ", ".join(marks)}


def _drawn(fronts: Sequence[Front], resource: str, measure: str) -> Any:
    figure, places = canvas(len(fronts))
    for shown, axes in zip(fronts, places if len(fronts) > 1 else [places], strict=True):
        _draw(axes, shown, resource, measure)
        axes.set(title=_named(shown, fronts).strip(" ()"))
    return figure


def _draw(axes: Any, shown: Front, resource: str, measure: str) -> None:
    parts = {"without a bottleneck": False, "with a bottleneck": True}
    for label, bottleneck in parts.items():
        some = [point for point in shown.points if point.bottleneck == bottleneck]
        axes.scatter(
            [p.cost for p in some], [p.metrics[measure] for p in some], s=4, alpha=0.4, label=plot_label(label)
        )
    line = [(p.cost, p.metrics[measure]) for p in shown.found]
    axes.plot(*zip(*line, strict=True), color="black", linewidth=1, label="front")
    axes.set(xscale="log", xlabel=resource, ylabel=measure)
    axes.legend(fontsize="small")


VIEW = View(
    summary="front of all trials in a cost and the reward's metric, a reference on it",
    value="RESOURCE",
    make=make,
    draws=True,
)
