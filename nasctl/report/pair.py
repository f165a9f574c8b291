"""A method beside random search at equal work: the pairs there are, and the commands for those that lack.

Work is in multiply-accumulates, of search and selection together. A random search is the pair of a method if the
work of a run of that method was its budget, and if space, data set, constraint and recipe are the same. Random
search as the baseline: Li and Talwalkar 2019, https://arxiv.org/abs/1902.07638.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from nasctl.report.interval import Difference, between, together
from nasctl.report.method import Method, by_seed
from nasctl.report.record import Run

RANDOM = "random_search"
_ALIKE = ("space", "dataset", "constraint")
_PHASES = ("search", "selection")


@dataclass(frozen=True)
class Pair:
    """A retrained method, its random search, the difference of their errors in points, and what they used."""

    method: Method
    random: Method
    difference: Difference
    work: float
    random_work: float


@dataclass(frozen=True)
class Lacking:
    """A retrained method without a random search at equal work, and the command that makes one."""

    method: str
    command: str


def pairs(rows: Sequence[Method]) -> list[Pair]:
    """Return the pairs among ``rows``, in their order, with intervals that all hold at once."""
    found = [(row, other) for row in rows for other in rows if row.error and other.error and _matches(row, other)]
    differences = together([between(_scores(row), _scores(other)) for row, other in found])
    return [
        Pair(row, other, difference, _mean(works(row)), _mean(works(other)))
        for (row, other), difference in zip(found, differences, strict=True)
    ]


def _scores(row: Method) -> dict[object, float]:
    """Return the test error by search seed; one seed gives all methods on a data set one split and one order of it."""
    return by_seed(row.runs, lambda run: run.score)


def lacking(rows: Sequence[Method]) -> list[Lacking]:
    """Return the searched and retrained methods of known work that are in no pair."""
    alone = [row for row in rows if works(row) and not _is_random(row) and row.error]
    alone = [row for row in alone if not any(_matches(row, other) for other in rows)]
    return [Lacking(row.label, _command(row)) for row in alone]


def works(row: Method) -> list[int]:
    """Return what each search behind a retrained row used; empty where that is not known."""
    found = {run.source.get("seed"): _total(run) for run in row.runs if run.source.get("kind") == "run"}
    return [work for work in found.values() if work]


def _total(run: Run) -> int:
    work = run.source.get("work") or {}
    return sum(int(work.get(phase) or 0) for phase in _PHASES)


def _is_random(row: Method) -> bool:
    return row.settings["search method"] == RANDOM


def _matches(row: Method, other: Method) -> bool:
    if _is_random(row) or not _is_random(other) or not other.error or row.recipe != other.recipe:
        return False
    same = all(row.settings[name] == other.settings[name] for name in _ALIKE)
    return same and bool(_limits(other) & set(works(row)))


def _limits(row: Method) -> set[int]:
    limits = ((run.source.get("budget") or {}).get("work") for run in row.runs)
    return {limit for limit in limits if limit}


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)


def _command(row: Method) -> str:
    path = shlex.quote(f"budget.like={row.runs[0].source.get('name')}")
    seeds = ",".join(map(str, range(max(2, row.error.n if row.error else 2))))
    return f"nasctl search -m strategy={RANDOM} estimator=from_scratch {path} seed={seeds}"
