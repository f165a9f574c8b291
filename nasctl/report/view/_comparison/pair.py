"""Each method against random search at equal work, and the command for a missing random baseline.

Work is in multiply-accumulates, of search and selection together. A random search is the pair of a method if the mean
works of both are equal within 1 %, and if both have the same space, data, limits, recipe and device type. Random
searches whose budgets are the works of the method's single searches are merged into one baseline. Random search as the
baseline: Li and Talwalkar 2019, https://arxiv.org/abs/1902.07638.
"""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from nasctl.command_line.flags import config_dirs
from nasctl.report._read.likeness import WORK, comparable, equal_work
from nasctl.report._read.method import RANDOM, Method, by_seed, source_label
from nasctl.report._read.provenance import searched
from nasctl.report._read.record import Run
from nasctl.report._statistics.figure import Figure
from nasctl.report._statistics.figure import work as written
from nasctl.report._statistics.interval import Difference, between, together

_SHARED = ("space", "dataset", "constraint")


@dataclass(frozen=True)
class Pair:
    """A retrained method, its random search, the difference of their errors in points, and what they used."""

    method: Method
    random: Method
    difference: Difference
    work: Figure
    random_work: Figure


@dataclass(frozen=True)
class MissingBaseline:
    """A retrained method without a random search at equal work, and the command that makes one."""

    method: str
    command: str
    near: str = ""  # why an existing random search does not qualify


def pairs(rows: Sequence[Method]) -> list[Pair]:
    """Return the pairs among ``rows``, in their order, with intervals that all hold at once."""
    found = [(row, other) for row in rows for other in _partners(row, rows)]
    differences = together([between(_scores(row), _scores(other)) for row, other in found])
    return [
        Pair(row, other, difference, Figure.over(works(row)), Figure.over(works(other)))
        for (row, other), difference in zip(found, differences, strict=True)
    ]


def _scores(row: Method) -> dict[object, float]:
    """Return the test error by search seed; one seed gives all methods on a data set one split and one order of it."""
    return by_seed(row.runs, lambda run: run.score)


def missing_baselines(rows: Sequence[Method]) -> list[MissingBaseline]:
    """Return the searched and retrained methods of known work that are in no pair."""
    alone = [row for row in rows if works(row) and not row.is_random_search and row.error and not _partners(row, rows)]
    return [MissingBaseline(row.label, _command(row), _near(row, rows)) for row in alone]


def works(row: Method) -> list[int]:
    """Return what each search behind a retrained row used; empty where that is not known."""
    found = {run.source.get("seed"): searched(run) for run in row.runs if run.source.get("kind") == "run"}
    return [work for work in found.values() if work]


def _partners(row: Method, rows: Sequence[Method]) -> list[Method]:
    """Return the random searches of equal mean work; without one, the merged ones that match search by search."""
    baselines = [other for other in rows if _is_baseline(row, other)]
    equal = [other for other in baselines if _is_equal(row, other)]
    parts: dict[str | None, list[Method]] = {}
    for other in baselines:
        if any(equal_work(other.likeness.get(WORK, 0.0) or math.inf, work) for work in works(row)):
            parts.setdefault(other.signature, []).append(other)
    together = [_together(group) for group in parts.values() if len(group) > 1]
    return equal or [other for other in together if _is_equal(row, other)]


def _is_equal(row: Method, other: Method) -> bool:
    return equal_work(fmean(works(row)), fmean(works(other)))


def _together(group: Sequence[Method]) -> Method:
    """Return rows of one method with different budgets of work, merged into one row."""
    runs = tuple(run for row in group for run in row.runs)
    label = f"{source_label(runs[0].source)}, work by work"
    return replace(group[0], label=label, runs=runs, error=Figure.of(by_seed(runs, lambda run: run.score).values()))


def _is_baseline(row: Method, other: Method) -> bool:
    """Return whether ``other`` is a random search that differs from ``row`` in nothing but its work."""
    if row.is_random_search or not other.is_random_search or not other.error or not works(row) or not works(other):
        return False
    same = all(row.settings[name] == other.settings[name] for name in _SHARED)
    return same and comparable(row.likeness, other.likeness)


def _near(row: Method, rows: Sequence[Method]) -> str:
    """Return the works of the random searches that differ from ``row`` in nothing but their work, as text."""
    used = fmean(works(row))
    found = [(other.label, fmean(works(other))) for other in rows if _is_baseline(row, other)]
    each = ", ".join(f"{label} did {written(other)} ({100 * (other / used - 1):+.1f} %)" for label, other in found)
    return f"{each} where the method did {written(used)}; equal works differ by 1 % at most" if each else ""


def _command(row: Method) -> str:
    mean = fmean(works(row))
    nearest = min(row.runs, key=lambda run: abs(searched(run) - mean))  # the first of equals
    seeds = ",".join(map(str, range(max(2, row.error.n if row.error else 2))))
    chosen = [f"strategy={RANDOM}", "estimator=from_scratch", f"budget.like={nearest.source.get('name')}"]
    return shlex.join(["nasctl", "search", *_config_dirs(row, nearest), "-m", *chosen, f"seed={seeds}"])


def _config_dirs(row: Method, nearest: Run) -> list[str]:
    """Return the flags ``--config-dir DIR`` of the search that ``nearest`` retrained, else those of ``nearest``."""
    seed = nearest.source.get("seed")
    search = [run for run in row.searches if run.result.get("seed") == seed]
    return next(filter(None, map(_own_config_dirs, (*search, nearest))), [])


def _own_config_dirs(run: Run) -> list[str]:
    """Return the flags ``--config-dir DIR`` of the command that made a run.

    A folder inside the run directory is left out, since its YAML files would name the classes that are built.
    """
    words, inside = config_dirs(run.environment.get("command", ())), Path(os.path.abspath(run.path))
    pairs = zip(words[::2], words[1::2], strict=True)
    return [word for pair in pairs if not Path(os.path.abspath(pair[1])).is_relative_to(inside) for word in pair]
