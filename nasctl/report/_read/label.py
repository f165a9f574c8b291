"""Unique labels for the rows of a comparison.

Rows that would carry the same label get the command-line overrides in which they differ; where those are not known or
do not differ, the field that splits the rows: limit, data, genotype, given work or device; then the settings in which
they differ; at last the start of the search's signature or of the recipe's hash, or a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from nasctl.report._read.likeness import DIGITS, GENOTYPE, LIMITS, WORK
from nasctl.report._read.method import Method, whole
from nasctl.report._read.record import Run
from nasctl.report._statistics.figure import work

_NAMED = (  # fields that split rows, and the words for them, in the order in which they are tried
    ("search limits", "limit"),
    ("limits", "limit"),
    ("dataset", "on"),
    ("data", "data"),
    ("search data", "searched on data"),
    (GENOTYPE, "genotype"),
    (WORK, "work"),
    ("device type", "on"),
    ("search device type", "searched on"),
    ("estimate", "by"),
)
_MOST = 4  # settings that a label names
_NOT_SETTINGS = {
    *("seed", "from", "resume", "traceback", "paths", "workers", "hydra"),
    *("run_dir", "checkpoint", "device", "threads", "label"),
}


Extend = Callable[[Method, Sequence[Method]], str]
"""(row, all rows of its label) -> a longer label where it tells them apart."""


def distinct(rows: Sequence[Method]) -> list[Method]:
    """Return ``rows`` with labels of which no two are equal."""
    fields: list[Extend] = [partial(_field, words) for words in _NAMED]
    for extend in (_unretrained, _overrides, *fields, _settings, _hashes, _number):
        rows = _extended(rows, extend)
    return list(rows)


def of_runs(runs: Sequence[Run]) -> list[str]:
    """Return a label for each search run: that of its row, with the seeds where several runs make one row."""
    rows = distinct(whole(runs))
    names = {run.path: row.label for row in rows for run in (*row.runs, *row.repeats, *_faulty(row))}
    counts = Counter(names[run.path] for run in runs)
    return [
        f"{names[run.path]}, seed {run.result.get('seed')}" if counts[names[run.path]] > 1 else names[run.path]
        for run in runs
    ]


def _faulty(row: Method) -> list[Run]:
    return [run for fault in row.faults for run in fault.runs]


def _extended(rows: Sequence[Method], extend: Extend) -> list[Method]:
    counts = Counter(row.label for row in rows)
    tied = {label: [row for row in rows if row.label == label] for label in counts if counts[label] > 1}
    return [replace(row, label=extend(row, tied[row.label])) if row.label in tied else row for row in rows]


def _unretrained(row: Method, tied: Sequence[Method]) -> str:
    mixed = row.recipe is None and any(other.recipe for other in tied)
    return f"{row.label} (not retrained)" if mixed else row.label


def _overrides(row: Method, tied: Sequence[Method]) -> str:
    shared = set.intersection(*(set(overrides(other)) for other in tied))
    own = [override for override in overrides(row) if override not in shared]
    if row.signature and not row.searches and len({other.signature for other in tied}) > 1:
        own.append(row.signature[:DIGITS])
    return ", ".join([row.label, *own])


def _field(words: tuple[str, str], row: Method, tied: Sequence[Method]) -> str:
    """Return the label with what the row has in the fields of one kind, if the tied rows differ there."""
    name, shown = words
    own = _values(row, name)
    if all(_values(other, name) == own for other in tied):
        return row.label
    named = " ".join(_short(name, value) for value in own.values()) or ("none" if name in LIMITS else "not recorded")
    return f"{row.label}, {shown} {named}"


def _values(row: Method, name: str) -> Mapping[str, Any]:
    found = {key: value for key, value in row.likeness.items() if key == name or key.startswith(f"{name} ")}
    return {key: value for key, value in found.items() if value != ""}


def _short(name: str, value: Any) -> str:
    if name == WORK:
        return work(value)
    text = str(value).removeprefix("named ")
    return text[:DIGITS] if name in ("data", "search data", GENOTYPE) and text == value else text


def _settings(row: Method, tied: Sequence[Method]) -> str:
    """Return the label with the settings in which the tied rows differ, the first few of them."""
    names = dict.fromkeys(name for other in tied for name in other.likeness if "." in name)
    unlike = [name for name in names if len({other.likeness.get(name) for other in tied}) > 1]
    named = [f"{name}={row.likeness[name]}" for name in unlike if name in row.likeness]
    return ", ".join([row.label, *named]) if len(unlike) <= _MOST else row.label


def _hashes(row: Method, tied: Sequence[Method]) -> str:
    several = len({other.signature for other in tied}) > 1
    if not several and len({other.recipe for other in tied}) == 1:
        return row.label
    return f"{row.label}, {str(row.signature if several else row.recipe)[:DIGITS]}"


def _number(row: Method, tied: Sequence[Method]) -> str:
    return f"{row.label} ({next(i for i, other in enumerate(tied, start=1) if other is row)})"


def overrides(row: Method) -> list[str]:
    """Return the settings given on the command line of all searches and of all retrainings of a row."""
    return list(dict.fromkeys([*_common(row.searches), *_common(row.runs)]))


def _common(runs: Iterable[Run]) -> list[str]:
    given = [[override for override in run.overrides if _key(override) not in _NOT_SETTINGS] for run in runs]
    return [override for override in given[0] if all(override in other for other in given)] if given else []


def _key(override: str) -> str:
    return override.lstrip("+~").split("=")[0].split(".")[0]
