"""Random baseline of a space: random architectures, retrained by the recipe of the methods.

Yang et al. 2020, https://arxiv.org/abs/1912.12522, section 3: a method's relative improvement over the average
architecture, RI = 100 (accuracy - random accuracy) / random accuracy, in percent. Perplexities have no such share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nasctl.report._read.likeness import TRAINING, Fields, agree, comparable, same_space
from nasctl.report._read.method import Method
from nasctl.report._read.record import ERROR
from nasctl.report._statistics.figure import Figure
from nasctl.report._statistics.interval import Difference, gain

FORMULA = "100 (accuracy - random accuracy) / random accuracy"
_LEAST = 2  # architectures


@dataclass(frozen=True)
class RandomBaseline:
    """Test error, in percent, over the n random architectures of a space that one recipe retrained."""

    space: str | None
    dataset: str | None
    constraint: str | None
    recipe: str | None  # its hash
    error: Figure
    likeness: Fields


def random_baselines(rows: Sequence[Method]) -> list[RandomBaseline]:
    """Return a baseline for every row of two or more random architectures."""
    return [_baseline(row, row.error) for row in rows if is_random(row) and row.error and _counts(row, row.error)]


def _counts(row: Method, error: Figure) -> bool:
    return row.measure == ERROR and error.n >= _LEAST


def _baseline(row: Method, error: Figure) -> RandomBaseline:
    space, dataset, constraint = (row.settings[name] for name in ("space", "dataset", "constraint"))
    return RandomBaseline(space, dataset, constraint, row.recipe, error, row.likeness)


def is_random(row: Method) -> bool:
    """Return whether a row holds random architectures."""
    return row.error is not None and all(run.source.get("kind") == "random" for run in row.runs)


def improvement(row: Method, known: Sequence[RandomBaseline]) -> Difference | None:
    """Return a method's relative improvement in percent, None without a baseline of its space and recipe."""
    fitting = [baseline for baseline in known if _fits(row, baseline)]
    if row.error is None or is_random(row) or not fitting or fitting[0].error.mean >= 100:
        return None
    return gain(_accuracy(row.error), _accuracy(fitting[0].error)).scaled(100)


def _accuracy(error: Figure) -> Figure:
    return Figure(100 - error.mean, error.std, error.n)


def _fits(row: Method, baseline: RandomBaseline) -> bool:
    same = all(row.settings[name] == getattr(baseline, name) for name in ("space", "dataset"))
    limits = (None, baseline.constraint)  # a published architecture has no limit
    if not same or row.recipe != baseline.recipe or row.settings["constraint"] not in limits:
        return False
    if row.signature is None:
        return agree(row.likeness, baseline.likeness, *TRAINING) and same_space(row.likeness, baseline.likeness)
    return comparable(row.likeness, baseline.likeness)
