"""Published results, shipped as data with their sources and footnotes (data/published.csv, data/notes.json).

Values are kept as printed in the paper: errors in percent (perplexity on Penn Treebank), parameters in
millions, costs in GPU-days. They were not measured here.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nasctl.errors import RequestError, unknown
from nasctl.report._read.record import Run

_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class PublishedRow:
    """One row of a published table, as printed; an empty string is a value that the paper does not give."""

    table: str
    method: str
    citation: str
    value: str  # test error in percent, or test perplexity
    value_valid: str
    std: str  # the +- part
    params_M: str
    gpu_days_min: str
    gpu_days_max: str
    ops: str
    search: str
    raw_cost: str
    source: str


@dataclass(frozen=True)
class Table:
    """A published table and the data sets whose runs it stands beside; the preferred one is shown unasked."""

    name: str
    title: str
    measure: str
    datasets: tuple[str, ...]
    preferred: bool


@dataclass(frozen=True)
class Note:
    """A footnote, bound to whole tables and to rows by table and method."""

    id: str
    text: str
    tables: tuple[str, ...]
    rows: Mapping[str, Sequence[str]]

    def concerns(self, row: PublishedRow) -> bool:
        """Return whether the note belongs under a table that shows ``row``."""
        return row.table in self.tables or self.marks(row)

    def marks(self, row: PublishedRow) -> bool:
        """Return whether the note is about ``row`` itself."""
        return row.method in self.rows.get(row.table, ())


@cache
def rows() -> tuple[PublishedRow, ...]:
    """Return all rows, in the papers' order."""
    with (_DATA / "published.csv").open(encoding="utf-8", newline="") as file:
        return tuple(PublishedRow(**row) for row in csv.DictReader(file))


@cache
def tables() -> dict[str, Table]:
    """Return all tables by name."""
    return {
        name: Table(name, table["title"], table["measure"], tuple(table["datasets"]), table["preferred"])
        for name, table in _shipped()["tables"].items()
    }


@cache
def notes() -> tuple[Note, ...]:
    """Return all footnotes."""
    return tuple(
        Note(note["id"], note["text"], tuple(note.get("tables", ())), note.get("rows", {}))
        for note in _shipped()["notes"]
    )


def select(request: str, datasets: Iterable[str], named: Iterable[str]) -> list[PublishedRow]:
    """Return the rows to show: ``none``, ``all``, a table's name, or ``auto``.

    ``auto`` is the preferred tables of ``datasets`` and the tables ``named`` by runs.
    """
    words = {"none": set(), "all": set(tables()), "auto": _preferred(datasets) | set(named)}
    if request not in words and request not in tables():
        raise unknown("published", request, [*words, *tables()])
    shown = words.get(request, {request})
    return [row for name in tables() if name in shown for row in rows() if row.table == name]


def is_published(runs: Iterable[Run]) -> bool | None:
    """Return whether all ``runs`` used the published data; None where some do not record it."""
    known = {_said(run) for run in runs}
    return False if "no" in known else True if known == {"yes"} else None


def _said(run: Run) -> str | None:
    data = run.environment.get("data")
    said = data.get("published") if isinstance(data, Mapping) else None
    return said if said in ("yes", "no") else None


def notes_of(shown: Iterable[PublishedRow]) -> list[Note]:
    """Return the footnotes that concern the rows shown."""
    listed = list(shown)
    return [note for note in notes() if any(note.concerns(row) for row in listed)]


def lookup(reference: Mapping[str, str], place: str) -> PublishedRow:
    """Return the row that ``reference`` names by table and method, or raise `RequestError` with ``place``."""
    table, method = reference.get("table"), reference.get("method")
    if not table or not method:
        raise RequestError(f"{place}: published must name table and method, such as {{table: C10-DARTS, method: PNAS}}")
    if table not in tables():
        raise unknown(f"{place}: published.table", table, tables())
    found = {row.method: row for row in rows() if row.table == table}
    if method not in found:
        raise unknown(f"{place}: published.method", method, found)
    return found[method]


def genotypes(reference: Mapping[str, str]) -> set[str]:
    """Return the names of the shipped genotypes that belong to the published row ``reference``."""
    listed = _shipped()["genotypes"]
    return {one["genotype"] for one in listed if all(one[key] == reference.get(key) for key in ("table", "method"))}


@cache
def _shipped() -> Mapping[str, Any]:
    shipped: Mapping[str, Any] = json.loads((_DATA / "notes.json").read_text(encoding="utf-8"))
    return shipped


def _preferred(datasets: Iterable[str]) -> set[str]:
    present = set(datasets)
    return {name for name, table in tables().items() if table.preferred and present & set(table.datasets)}
