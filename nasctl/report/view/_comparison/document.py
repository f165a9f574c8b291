"""A comparison as grids of text.

Columns that are empty are dropped; settings that are the same in all rows are said once, below the grid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from nasctl.report._read.likeness import DIGITS, GENOTYPE
from nasctl.report._read.method import Method, source_label
from nasctl.report._read.published import Note, PublishedRow, tables
from nasctl.report._read.record import COUNTED, ERROR, PERPLEXITY, Run
from nasctl.report._read.remarks import WORK
from nasctl.report._read.replicas import Point as CurvePoint
from nasctl.report._read.spending import PHASES
from nasctl.report._statistics import interval
from nasctl.report._statistics.figure import amount, count, size, spread, work
from nasctl.report._statistics.paired_difference import PairedDifference, probability
from nasctl.report.grid import Cells, Grid, grid
from nasctl.report.view._comparison.comparison import Comparison, difference, paper_std
from nasctl.report.view._comparison.factorial import FactorialDesign
from nasctl.report.view._comparison.factorial_table import tables_of
from nasctl.report.view._comparison.pair import Pair
from nasctl.report.view._comparison.random_baseline import FORMULA, RandomBaseline, improvement
from nasctl.report.view._comparison.scaling import Point
from nasctl.report.view._comparison.space import Space
from nasctl.report.view._comparison.timing import REMARK, timed

MEASURES = (ERROR, PERPLEXITY)


def document(comparison: Comparison) -> list[Grid]:
    """Return the grid of the methods, those of pairs and of best-found curves, then one a published table."""
    beside = _published(comparison)
    marked = _footnotes(comparison)
    if beside and marked:
        beside[-1] = replace(beside[-1], remarks=marked)
    return [
        _measured(comparison),
        *_paired(comparison.pairs),
        *_factorial(comparison.factorial),
        *_curves(comparison),
        *_repeated(comparison.repeated),
        *beside,
    ]


def sizes(found: Sequence[Point], axis: str) -> Grid:
    """Return the grid of errors against ``axis``, series by series."""
    name, decimals = {"params": ("params", 2), "macs": ("MACs", 1)}.get(axis, (axis, 2))
    cells = [
        {"series": point.series, name: amount(point.x, decimals), f"test {point.measure}": str(point.error)}
        for point in found
    ]
    measures = dict.fromkeys(point.measure.removesuffix(" (%)") for point in found)
    if not measures:
        return grid(f"Test error against {name}: no retrained network", cells)
    return grid(f"{' and '.join(measures).capitalize()} against {name}", cells)


def _measured(comparison: Comparison) -> Grid:
    rows = comparison.methods
    same = _same_settings(rows)
    kinds = list(dict.fromkeys(row.estimate_kind for row in rows if row.estimate_kind))
    cells = [_method_cells(row, kinds, same, comparison.random_baselines) for row in rows]
    remarks = [
        _same_remark(same),
        *_n_remarks(rows),
        *[REMARK] * any(cell for row in rows for phase in PHASES for cell in timed(row, phase).values()),
        *_space_remarks(comparison),
        *_difference_remarks(rows),
        *_baseline_remarks(comparison.random_baselines),
        *comparison.remarks,
        *(
            f"{row.method}: no random search at equal work{_in_brackets(row.near)}; retrain what this finds: "
            f"{row.command}"
            for row in comparison.missing_baselines
        ),
        _left_out(comparison.left_out),
        _unverified(comparison.unverified),
    ]
    title = "Measured here" if rows else "Measured here: no finished run"
    return grid(title, cells, [remark for remark in remarks if remark])


def _method_cells(row: Method, kinds: Sequence[str], same: Cells, known: Sequence[RandomBaseline]) -> Cells:
    within, printed = row.feasible, paper_std(row)
    return {
        "method": row.label,
        **{f"test {measure}": _tested(row) if measure == row.measure else "" for measure in MEASURES},
        "validation perplexity": _text(row.validation),
        "difference to the paper": _text(difference(row)),
        "± of the paper": "" if printed is None else f"{printed:g}",
        "relative improvement (%)": _text(improvement(row, known)),
        **{f"{kind} {measure}": _estimate(row, kind, measure) for kind in kinds for measure in MEASURES},
        "median (5 to 95 %)": _text(row.distribution),
        "best found": _best_found(row),
        "params": spread(row.params, partial(count, decimals=2)),
        "MACs": spread(row.macs, partial(count, decimals=1)),
        "ops": spread(row.ops, "{:.3g}".format),
        **{name: spread(cost, amount) for name, cost in row.costs.items() if name not in COUNTED},
        **{name: cell for phase in PHASES for name, cell in timed(row, phase).items()},
        "within constraint": "" if within is None else f"{within[0]} of {within[1]}",
        **{name: value or "" for name, value in _settings(row).items() if name not in same},
    }


def _estimate(row: Method, kind: str, measure: str) -> str:
    return _text(row.estimate) if (kind, measure) == (row.estimate_kind, row.measure) else ""


def _tested(row: Method) -> str:
    """Return the test error; a row whose seeds all contradict each other has none, and says so."""
    return "fault" if row.error is None and row.recipe and row.faults else _text(row.error)


def _text(value: object | None) -> str:
    return "" if value is None else str(value)


def _best_found(row: Method) -> str:
    found = row.distribution
    return "" if found is None or found.best_found is None else f"{found.best_found} of {found.of}"


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _curves(comparison: Comparison) -> list[Grid]:
    """Return the grid of the best-found curves, if there are some."""
    rows = [_point_cells(label, point) for label, points in comparison.curves.items() for point in points]
    remark = (
        "Best found: after so many trials, by the error that the search sees; ± is the half width of the difference's "
        "95 % interval, by Student's t."
    )
    return [grid("Best found so far, over replicas", rows, [remark])] if rows else []


def _repeated(found: Sequence[PairedDifference]) -> list[Grid]:
    """Return the grid of the differences between repeated searches, if there are some."""
    remarks = [
        "In points of the reported error; below zero the first is better.",
        *interval.remarks([c.difference for c in found]),
    ]
    return [grid("Differences of repeated searches", [each.cells(3) for each in found], remarks)] * bool(found)


def _point_cells(label: str, point: CurvePoint) -> Cells:
    within, difference = point.interval(), point.difference
    return {
        "method": label,
        "trials": str(point.trials),
        "error searched by (%)": str(point.error),
        "reported error (%)": _text(point.reported),
        "reported - searched": "" if difference is None else f"{difference.mean:+.3f}",
        "±": "" if within is None else f"{within:.3f}",
    }


def _settings(row: Method) -> Mapping[str, str | None]:
    return {**row.settings, "device": row.device}


def _same_settings(rows: Sequence[Method]) -> Cells:
    """Return the settings that are given and equal in all of several rows, but for the search method."""
    if len(rows) < 2:
        return {}
    first = {name: value for name, value in _settings(rows[0]).items() if value and name != "search method"}
    return {name: value for name, value in first.items() if all(_settings(row)[name] == value for row in rows)}


def _same_remark(same: Cells) -> str:
    return "In all rows: " + ", ".join(f"{name} {value}" for name, value in same.items()) + "." if same else ""


def _n_remarks(rows: Sequence[Method]) -> list[str]:
    searched = any(row.error and row.n_of == "search seeds" for row in rows)
    sampled = any(row.error and row.n_of == "random architectures" for row in rows)
    single = list(dict.fromkeys(_one_network(row) for row in rows if row.error and row.n_of == "retrain seeds"))
    general = ["n counts search seeds; retrain seeds are averaged first; ± is the sample standard deviation."]
    chance = ["random architectures: n counts architectures sampled uniformly from the space."]
    names, each = ", ".join(single), "" if len(single) == 1 else " each"
    one = [f"{names}: one architecture{each}, n counts its retrain seeds."]
    return general * searched + chance * sampled + one * bool(single)


def _one_network(row: Method) -> str:
    """Return the name of a row's only architecture, with the start of its hash where the label tells it."""
    name, content = source_label(row.runs[0].source), str(row.likeness.get(GENOTYPE))[:DIGITS]
    return f"{name} ({content})" if f"genotype {content}" in row.label else name


def _space_remarks(comparison: Comparison) -> list[str]:
    sizes = [f"Size of space {space.name}: {_size(space)}." for space in comparison.spaces]
    return sizes + [
        f"Random architectures of {found.space} on {found.dataset}, under {found.estimator}: "
        f"{found.error_kind} {found.measure.removesuffix(' (%)')} {found.error.mean:.2f}"
        + (f" ± {found.error.std:.2f}" if found.error.std is not None else "")
        + f"{' %' * (found.measure == ERROR)} (n={found.error.n} architectures, search {found.signature[:6]}"
        + (f", limit {found.limit}" if found.limit else "")
        + (f", data {found.data})." if found.data else ").")
        for found in comparison.random
    ]


def _difference_remarks(rows: Sequence[Method]) -> list[str]:
    text = (
        "Difference to the paper: test error minus the published one, in points. Brackets: 95 % interval of the mean "
        "over seeds by Student's t, each row by itself. It takes the published figure as exact; the ± that the paper "
        "prints for it has a column of its own. One seed has no interval."
    )
    return [text] * any(difference(row) for row in rows)


def _size(space: Space) -> str:
    known = space.size is not None
    return f"{size(space.size or 0)} architectures" if known else "not known, since its architectures differ in length"


def _baseline_remarks(known: Sequence[RandomBaseline]) -> list[str]:
    text = (
        f"Relative improvement: over the random architectures of the same space under the same recipe, {FORMULA}. "
        "Brackets: 95 % interval of the quotient of the two mean accuracies by Fieller's method, each row by itself. "
        "One seed has no interval."
    )
    return [text] * bool(known)


def _paired(found: Sequence[Pair]) -> list[Grid]:
    """Return the grid of methods beside random search at equal work, if there is a pair."""
    remarks = (
        "Difference: method - random search, in points; below zero the method is better. One seed has no interval.",
        *interval.remarks([pair.difference for pair in found]),
        "Work: of search and selection, equal within 1 %; random search ends with the trial that reaches it.",
        WORK,
    )
    return [grid("Against random search at equal work", [_pair_cells(pair) for pair in found], remarks)] * bool(found)


def _pair_cells(pair: Pair) -> Cells:
    return {
        "method": pair.method.label,
        f"test {pair.method.measure}": _text(pair.method.error),
        f"random search{' (%)' if pair.method.measure == ERROR else ''}": _text(pair.random.error),
        "difference": str(pair.difference),
        "p": probability(pair.difference),
        "by": pair.difference.by if pair.difference.error is not None else "",
        "work": spread(pair.work, work),
        "work of random search": spread(pair.random_work, work),
    }


def _factorial(found: FactorialDesign | None) -> list[Grid]:
    """Return the grids of a factorial design: errors, and the shares of what explains them."""
    return [] if found is None else [grid(title, rows, remarks) for title, rows, remarks in tables_of(found)]


def _left_out(runs: Sequence[Run]) -> str:
    if not runs:
        return ""
    listed = "; ".join(f"{run.path} ({run.unfinished()})" for run in runs)
    return f"Not in the table, since not finished: {len(runs)} run{'s' * (len(runs) > 1)}: {listed}."


def _unverified(runs: Sequence[Run]) -> str:
    if not runs:
        return ""
    count = f"{len(runs)} run{'s' * (len(runs) > 1)}"
    return f"Unverified, since status.json holds no hashes of the files: {count} (nasctl ls runs marks them)."


def _published(comparison: Comparison) -> list[Grid]:
    names = dict.fromkeys(row.table for row in comparison.published)
    return [_published_grid(comparison, name) for name in names]


def _published_grid(comparison: Comparison, name: str) -> Grid:
    table = tables()[name]
    wide = _marks(comparison.notes, lambda note: name in note.tables)
    rows = [row for row in comparison.published if row.table == name]
    cells = [_published_cells(row, table.measure, comparison.notes) for row in rows]
    return grid(f"Published, not measured here: {table.title} ({name}){wide}", cells)


def _published_cells(row: PublishedRow, measure: str, notes: Sequence[Note]) -> Cells:
    return {
        "method": row.method + _marks(notes, lambda note: note.marks(row)),
        measure: row.value + (f" ± {row.std}" if row.std else ""),
        measure.replace("test", "validation"): row.value_valid,
        "params": f"{row.params_M} M" if row.params_M else "",
        "GPU-days": "-".join(dict.fromkeys(filter(None, (row.gpu_days_min, row.gpu_days_max)))),
        "ops": row.ops,
        "search": row.search,
        "result of": row.citation,
    }


def _marks(notes: Sequence[Note], bound: Callable[[Note], bool]) -> str:
    numbers = [str(number) for number, note in enumerate(notes, start=1) if bound(note)]
    return f" [{','.join(numbers)}]" if numbers else ""


def _footnotes(comparison: Comparison) -> tuple[str, ...]:
    return tuple(f"[{number}] {note.text}" for number, note in enumerate(comparison.notes, start=1))
