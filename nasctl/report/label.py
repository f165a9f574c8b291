"""Labels that tell the rows of a comparison apart.

Rows that would carry the same label get the command-line overrides in which they differ; where those are
not known or do not differ, the start of the search's signature or of the recipe's hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from nasctl.report.method import Method
from nasctl.report.record import Run

_DIGITS = 6  # of a hash, enough to find the run directory
_NOT_SETTINGS = {
    *("seed", "from", "resume", "traceback", "paths", "workers", "hydra"),
    *("run_dir", "checkpoint", "device", "threads", "label"),
}


def distinct(rows: Sequence[Method]) -> list[Method]:
    """Return ``rows`` with labels of which no two are equal."""
    for extend in (_unretrained, _overrides, _hashes):
        rows = _extended(rows, extend)
    return list(rows)


def _extended(rows: Sequence[Method], extend: Callable[[Method, Sequence[Method]], str]) -> list[Method]:
    counts = Counter(row.label for row in rows)
    tied = {label: [row for row in rows if row.label == label] for label in counts if counts[label] > 1}
    return [replace(row, label=extend(row, tied[row.label])) if row.label in tied else row for row in rows]


def _unretrained(row: Method, tied: Sequence[Method]) -> str:
    mixed = row.error is None and any(other.error for other in tied)
    return f"{row.label} (not retrained)" if mixed else row.label


def _overrides(row: Method, tied: Sequence[Method]) -> str:
    shared = set.intersection(*(set(overrides(other)) for other in tied))
    own = [override for override in overrides(row) if override not in shared]
    if row.signature and not row.searches and len({other.signature for other in tied}) > 1:
        own.append(row.signature[:_DIGITS])
    return ", ".join([row.label, *own])


def _hashes(row: Method, tied: Sequence[Method]) -> str:
    several = len({other.signature for other in tied}) > 1
    return f"{row.label}, {str(row.signature if several else row.recipe)[:_DIGITS]}"


def overrides(row: Method) -> list[str]:
    """Return the settings given on the command line of all searches and of all retrainings of a row."""
    return list(dict.fromkeys([*_common(row.searches), *_common(row.runs)]))


def _common(runs: Iterable[Run]) -> list[str]:
    given = [[override for override in run.overrides if _key(override) not in _NOT_SETTINGS] for run in runs]
    return [override for override in given[0] if all(override in other for other in given)] if given else []


def _key(override: str) -> str:
    return override.lstrip("+~").split("=")[0].split(".")[0]
