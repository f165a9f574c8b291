"""What `nasctl compare` shows: methods measured here, published rows beside them, and what was left out.

Every figure is labelled with what it is; only networks retrained from scratch have a test error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nasctl.report._read.label import distinct
from nasctl.report._read.method import Method, methods
from nasctl.report._read.provenance import made_with, plural, several
from nasctl.report._read.published import Note, PublishedRow, is_published, lookup, notes_of, select, tables
from nasctl.report._read.record import Run
from nasctl.report._read.remarks import of_rows
from nasctl.report._read.replicas import Point, curve
from nasctl.report._statistics.interval import Difference, from_value
from nasctl.report._statistics.paired_difference import PairedDifference
from nasctl.report.view._comparison.factorial import FactorialDesign, factorial_design
from nasctl.report.view._comparison.pair import MissingBaseline, Pair, missing_baselines, pairs
from nasctl.report.view._comparison.random_baseline import RandomBaseline, random_baselines
from nasctl.report.view._comparison.repeated import differences
from nasctl.report.view._comparison.space import RandomArchitectures, Space, random_architectures, spaces


@dataclass(frozen=True)
class Comparison:
    """The content of a comparison, whatever its format."""

    methods: list[Method]
    published: list[PublishedRow]
    notes: list[Note]
    spaces: list[Space]
    random: list[RandomArchitectures]
    pairs: list[Pair]
    missing_baselines: list[MissingBaseline]
    random_baselines: list[RandomBaseline]
    factorial: FactorialDesign | None
    repeated: list[PairedDifference]  # of searches against a table
    curves: dict[str, list[Point]]  # by the method's label
    left_out: list[Run]  # unfinished, failed, killed or damaged
    remarks: list[str]  # of the methods: faults, provenance, deviations from the published experiment
    unverified: list[Run]  # finished, but status.json holds no hashes of their files


def compared(runs: Sequence[Run], published: str) -> Comparison:
    """Return the comparison of ``runs`` beside the ``published`` rows, or raise `RequestError`."""
    finished = [run for run in runs if run.status == "finished"]
    rows = distinct(methods(finished))
    beside = select(published, _datasets(rows), _named_tables(rows))
    return Comparison(
        methods=rows,
        published=beside,
        notes=notes_of(beside),
        spaces=spaces(finished),
        random=random_architectures(finished),
        pairs=pairs(rows),
        missing_baselines=missing_baselines(rows),
        random_baselines=random_baselines(rows),
        factorial=factorial_design(finished),
        repeated=differences(rows),
        curves={row.label: points for row in rows if (points := curve(row.searches))},
        left_out=[run for run in runs if run.status != "finished"],
        remarks=[*of_rows(rows), *_apart(rows), *_cut_remarks(rows), *_data_remarks(rows, published, beside)],
        unverified=[run for run in finished if not run.verified],
    )


def difference(method: Method) -> Difference | None:
    """Return the test error minus that of the paper's row, in points; None without either, or if something was cut."""
    if method.published is None or method.error is None:
        return None
    value = float(_paper_row(method).value)
    return None if method.cut else from_value(method.error, value)


def paper_std(method: Method) -> float | None:
    """Return the ± that the paper prints beside the figure of `difference`; None where it prints none."""
    printed = "" if difference(method) is None else _paper_row(method).std
    return float(printed) if printed else None


def _cut_remarks(rows: Sequence[Method]) -> list[str]:
    """Return a sentence for each row whose difference to its published row is withheld, with the reasons."""
    return [
        f"{row.label}: no difference to the paper, since it is not the experiment as published: {', '.join(row.cut)}."
        for row in rows
        if row.published is not None and row.error is not None and row.cut
    ]


def _apart(rows: Sequence[Method]) -> list[str]:
    """Return a sentence for each commit, thread count or version that differs between rows but not within each row."""
    found = {row.label: several(row.runs) for row in rows}
    names = several(run for row in rows for run in row.runs)
    whole = {name: values for name, values in names.items() if name != "device"}  # the device has a column
    return [
        f"Rows were made by {len(values)} {plural(name)}: {_by_row(rows, name)}."
        for name, values in whole.items()
        if len(rows) > 1 and not all(name in found[row.label] for row in rows)
    ]


def _by_row(rows: Sequence[Method], name: str) -> str:
    values = {row.label: dict.fromkeys(made_with(run).get(name, "unknown") for run in row.runs) for row in rows}
    return "; ".join(f"{label} {', '.join(known)}" for label, known in values.items())


def _data_remarks(rows: Sequence[Method], request: str, shown: Sequence[PublishedRow]) -> list[str]:
    """Return sentences that name the measured rows whose data are not the published ones, or not known to be."""
    names = {row.table for row in shown}
    stand = {name for table in tables().values() if table.name in names for name in table.datasets}
    known = {name for table in tables().values() if table.preferred for name in table.datasets}
    made_up = [row for row in rows if _dataset(row) in known | stand and is_published(row.runs) is False]
    unsure = [row for row in rows if _dataset(row) in stand and is_published(row.runs) is None]
    return [
        *(
            f"{row.label}: its data are not the published {_dataset(row)}; published rows are of other data."
            for row in made_up
            if request != "none"
        ),
        *[f"Whether the data are the published ones is not recorded of: {_labels(unsure)}."] * bool(unsure),
    ]


def _labels(rows: Sequence[Method]) -> str:
    return ", ".join(row.label for row in rows)


def _dataset(row: Method) -> str:
    return str(row.likeness.get("dataset"))


def _datasets(rows: Sequence[Method]) -> set[str]:
    """Return the data sets of the rows, without those whose data are known not to be the published ones."""
    return {_dataset(row) for row in rows if is_published(row.runs) is not False}


def _named_tables(rows: Sequence[Method]) -> set[str]:
    named = [row for row in rows if row.published is not None]
    return {_paper_row(row).table for row in named if is_published(row.runs) is not False}


def _paper_row(method: Method) -> PublishedRow:
    given = (*method.runs, *(run for fault in method.faults for run in fault.runs))
    place = next(run.path / "config.yaml" for run in given if run.config.get("published"))
    return lookup(method.published or {}, str(place))
