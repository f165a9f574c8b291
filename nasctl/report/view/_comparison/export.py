"""A comparison with full numbers for other programs: JSON and CSV.

JSON keeps the parts apart; CSV is one rectangle whose ``kind`` column says what a row is: measured,
pair, difference, published, space, random baseline, random architectures, curve, note or unverified. Errors are in
percent, or perplexities where ``measure`` says so, costs in days of the unit named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from nasctl.report._read.likeness import limit_of
from nasctl.report._read.method import Method
from nasctl.report._read.published import Note, PublishedRow
from nasctl.report._read.record import COUNTED, Run
from nasctl.report._read.replicas import Point
from nasctl.report._statistics.figure import Figure
from nasctl.report._statistics.interval import Difference
from nasctl.report._statistics.paired_difference import PairedDifference
from nasctl.report.view._comparison import timing
from nasctl.report.view._comparison.comparison import Comparison, difference, paper_std
from nasctl.report.view._comparison.pair import Pair, works
from nasctl.report.view._comparison.random_baseline import RandomBaseline, improvement
from nasctl.report.view._comparison.space import RandomArchitectures

Flat = Mapping[str, Any]

UNVERIFIED = "status.json holds no hashes of the run's files"

_NESTED = (
    *("error", "validation", "estimate", "distribution", "cost", "cost_std", "cpu_seconds", "feasible", "published"),
    *("runs", "likeness", "beside", "cut", "faults", "counted_once"),
)
_SHOWN = ("verb", "origin", "estimate", "measure", "recipe", "dataset", "space")  # fields with a column of their own


def record(comparison: Comparison) -> Flat:
    """Return the content of the JSON object."""
    return {
        "methods": [_method(row, comparison.random_baselines) for row in comparison.methods],
        "pairs": [_pair(pair) for pair in comparison.pairs],
        "missing_baselines": [asdict(row) for row in comparison.missing_baselines],
        "lacking": [asdict(row) for row in comparison.missing_baselines],  # the older name
        "factorial_design": comparison.factorial and asdict(comparison.factorial),
        "crossed": comparison.factorial and asdict(comparison.factorial),  # the older name
        "repeated": [_paired_difference(found) for found in comparison.repeated],
        "random_baselines": [_baseline(found) for found in comparison.random_baselines],
        "yardsticks": [_baseline(found) for found in comparison.random_baselines],  # the older name
        "published": [_published(row, comparison.notes) for row in comparison.published],
        "notes": [{"id": note.id, "text": note.text} for note in comparison.notes],
        "spaces": [asdict(space) for space in comparison.spaces],
        "random_architectures": [asdict(found) for found in comparison.random],
        "curves": {label: [asdict(point) for point in points] for label, points in comparison.curves.items()},
        "left_out": [_left_out(run) for run in comparison.left_out],
        "remarks": comparison.remarks,
        "unverified": [str(run.path) for run in comparison.unverified],
    }


def lines(comparison: Comparison) -> list[Flat]:
    """Return the lines of the CSV table."""
    return [
        *({"kind": "measured", **_flat_method(row, comparison.random_baselines)} for row in comparison.methods),
        *({"kind": "pair", **_pair(pair)} for pair in comparison.pairs),
        *({"kind": "difference", **_paired_difference(found)} for found in comparison.repeated),
        *({"kind": "published", **_flat_published(row, comparison.notes)} for row in comparison.published),
        *({"kind": "space", "space": space.name, "size": space.size} for space in comparison.spaces),
        *({"kind": "random baseline", **_flat_baseline(found)} for found in comparison.random_baselines),
        *({"kind": "random architectures", **_flat_random(found)} for found in comparison.random),
        *(_flat_point(label, point) for label, points in comparison.curves.items() for point in points),
        *({"kind": "note", "notes": note.id, "text": note.text} for note in comparison.notes),
        *({"kind": "note", "method": row.method, "text": row.command} for row in comparison.missing_baselines),
        *({"kind": "note", "text": remark} for remark in comparison.remarks),
        *({"kind": "note", "text": run.unfinished(), "runs": str(run.path)} for run in comparison.left_out),
        *({"kind": "unverified", "text": UNVERIFIED, "runs": str(run.path)} for run in comparison.unverified),
    ]


def _method(row: Method, known: Sequence[RandomBaseline]) -> Flat:
    return {
        "method": row.label,
        **{name.replace(" ", "_"): value for name, value in row.settings.items()},
        "measure": row.measure,
        "error": row.error and {**asdict(row.error), "n_of": row.n_of},
        "validation": row.validation and asdict(row.validation),
        "estimate": row.estimate and {**asdict(row.estimate), "kind": row.estimate_kind},
        "distribution": row.distribution and asdict(row.distribution),
        **_spread("params", row.params),
        **_spread("macs", row.macs),
        **_spread("ops", row.ops),
        **{key: value for name in row.costs if name not in COUNTED for key, value in _cost(name, row).items()},
        "cost": row.cost,
        **timing.spreads(row),
        "device": row.device,
        "feasible": row.feasible and {"within": row.feasible[0], "of": row.feasible[1]},
        "published": row.published,
        **_bounded("difference", difference(row)),
        "paper_std": paper_std(row),
        **_bounded("relative_improvement", improvement(row, known)),
        **_spread("work", Figure.of(works(row))),
        "signature": row.signature,
        "recipe_hash": row.recipe,
        "likeness": {name: value for name, value in row.likeness.items() if name not in _SHOWN and "." not in name},
        "beside": list(row.beside),
        "cut": list(row.cut),
        "faults": list(map(str, row.faults)),
        "runs": _paths(row.runs),
        "counted_once": _paths(row.repeats),
    }


def _spread(name: str, figure: Figure | None) -> Flat:
    """Return the mean of a count over seeds, with its standard deviation in a column of its own."""
    return {name: None if figure is None else figure.mean, f"{name}_std": None if figure is None else figure.std}


def _cost(name: str, row: Method) -> Flat:
    return _spread(f"cost_{name}", row.costs[name])


def _bounded(name: str, found: Difference | None) -> Flat:
    """Return a difference with the bounds of its interval, a column each."""
    value, low, high = (None,) * 3 if found is None else (found.value, found.low, found.high)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _tested(found: Difference) -> Flat:
    """Return a difference of errors with its bounds, its adjusted p-value and the rule of its interval."""
    return {**_bounded("error_difference", found), "p_holm": found.adjusted, "interval_by": found.by}


def _paths(runs: Iterable[Run]) -> list[str]:
    return list(dict.fromkeys(str(run.path) for run in runs))


def _pair(pair: Pair) -> Flat:
    return {
        "method": pair.method.label,
        "random": pair.random.label,
        "recipe_hash": pair.method.recipe,
        **_tested(pair.difference),
        **_spread("work", pair.work),
        **_spread("random_work", pair.random_work),
    }


def _baseline(found: RandomBaseline) -> Flat:
    return {name: value for name, value in asdict(found).items() if name != "likeness"} | {
        "limit": limit_of(found.likeness) or None
    }


def _paired_difference(found: PairedDifference) -> Flat:
    return {
        "method": found.method,
        "less": found.less,
        **_tested(found.difference),
    }


def _flat_baseline(found: RandomBaseline) -> Flat:
    plain = {name: value for name, value in _baseline(found).items() if name not in ("error", "recipe")}
    return {**plain, "recipe_hash": found.recipe, **_flat_figure("error", found.error)}


def _published(row: PublishedRow, notes: list[Note]) -> Flat:
    numbers = ("value", "value_valid", "std", "params_M", "gpu_days_min", "gpu_days_max", "ops")
    printed = {name: text or None for name, text in asdict(row).items()}
    known = {name: float(text) for name, text in printed.items() if name in numbers and text}
    return {**printed, **known, "notes": [note.id for note in notes if note.concerns(row)]}


def _left_out(run: Run) -> Flat:
    return {"path": str(run.path), "status": run.status, "reason": run.reason}


def _flat_method(row: Method, known: Sequence[RandomBaseline]) -> Flat:
    nested = _method(row, known)
    plain = {name: value for name, value in nested.items() if name not in _NESTED}
    costs = {f"{phase}_{unit}": value for phase, cost in row.cost.items() for unit, value in cost.items()}
    return {
        **plain,
        **_flat_figure("error", row.error, n_of=row.n_of),
        **_flat_figure("validation", row.validation),
        **_flat_figure("estimate", row.estimate, kind=row.estimate_kind),
        **(nested["distribution"] or {}),
        **costs,
        **timing.flat(row),
        **{f"paper_{name}": value for name, value in (row.published or {}).items()},
        **{f"feasible_{name}": value for name, value in (nested["feasible"] or {}).items()},
        **{name.replace(" ", "_"): value for name, value in nested["likeness"].items()},
        **{name: "; ".join(nested[name]) for name in ("beside", "cut", "faults")},
        "runs": " ".join(nested["runs"]),
        "counted_once": " ".join(nested["counted_once"]),
    }


def _flat_figure(name: str, figure: Figure | None, **label: str | None) -> Flat:
    if figure is None:
        return {name: None}
    labels = {f"{name}_{key}": value for key, value in label.items()}
    return {name: figure.mean, f"{name}_std": figure.std, f"{name}_n": figure.n, **labels}


def _flat_published(row: PublishedRow, notes: list[Note]) -> Flat:
    kept = ("table", "method", "citation", "source", "notes")
    return {
        name if name in kept else f"published_{name}": " ".join(value) if name == "notes" else value
        for name, value in _published(row, notes).items()
    }


def _flat_point(label: str, point: Point) -> Flat:
    return {
        "kind": "curve",
        "method": label,
        "trials": point.trials,
        **_flat_figure("estimate", point.error),
        **_flat_figure("reported", point.reported),
        **_flat_figure("difference", point.difference),
    }


def _flat_random(found: RandomArchitectures) -> Flat:
    plain = {name: value for name, value in asdict(found).items() if name not in ("error", "error_kind")}
    return {**plain, **_flat_figure("estimate", found.error, kind=found.error_kind)}
