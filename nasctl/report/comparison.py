"""What `nasctl compare` shows: methods measured here, published rows beside them, and what was left out.

Every figure is labelled with what it is; only networks retrained from scratch have a test error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nasctl.report.crossed import Crossed, crossed
from nasctl.report.label import distinct
from nasctl.report.method import Method, methods
from nasctl.report.pair import Lacking, Pair, lacking, pairs
from nasctl.report.published import Note, PublishedRow, lookup, notes_of, select
from nasctl.report.record import Run, find, sparing
from nasctl.report.replicas import Point, curve
from nasctl.report.space import RandomArchitectures, Space, random_architectures, spaces
from nasctl.report.yardstick import Yardstick, yardsticks


@dataclass(frozen=True)
class Comparison:
    """The content of a comparison, whatever its format."""

    methods: list[Method]
    published: list[PublishedRow]
    notes: list[Note]
    spaces: list[Space]
    random: list[RandomArchitectures]
    pairs: list[Pair]
    lacking: list[Lacking]
    yardsticks: list[Yardstick]
    crossed: Crossed | None
    curves: dict[str, list[Point]]  # by the method's label
    left_out: list[Run]  # unfinished, failed, killed or damaged
    unverified: list[Run]  # finished, but status.json holds no hashes of their files


def gather(paths: Sequence[str], published: str) -> Comparison:
    """Return the comparison of the runs at or below ``paths``, or raise `RequestError`."""
    return sparing(find(paths), lambda runs: _gathered(runs, published))


def _gathered(runs: Sequence[Run], published: str) -> Comparison:
    finished = [run for run in runs if run.status == "finished"]
    rows = distinct(methods(finished))
    beside = select(published, _datasets(finished), _named_tables(rows))
    return Comparison(
        methods=rows,
        published=beside,
        notes=notes_of(beside),
        spaces=spaces(finished),
        random=random_architectures(finished),
        pairs=pairs(rows),
        lacking=lacking(rows),
        yardsticks=yardsticks(rows),
        crossed=crossed(finished),
        curves={row.label: points for row in rows if (points := curve(row.searches))},
        left_out=[run for run in runs if run.status != "finished"],
        unverified=[run for run in finished if not run.verified],
    )


def difference(method: Method) -> float | None:
    """Return the test error minus that of the paper's row, in points; None without either."""
    if method.published is None or method.error is None:
        return None
    return method.error.mean - float(_paper_row(method).value)


def _datasets(runs: Sequence[Run]) -> set[str]:
    return {str(run.choices.get("dataset")) for run in runs}


def _named_tables(rows: Sequence[Method]) -> set[str]:
    return {_paper_row(method).table for method in rows if method.published is not None}


def _paper_row(method: Method) -> PublishedRow:
    place = next(run.path / "config.yaml" for run in method.runs if run.config.get("published"))
    return lookup(method.published or {}, str(place))
