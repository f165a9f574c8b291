"""Look up a finished benchmark: every architecture was trained once for all, and a search reads its figures.

Ying et al. 2019, https://arxiv.org/abs/1902.09635; Dong and Yang 2020, https://arxiv.org/abs/2001.00326.
"""

from __future__ import annotations

import difflib
import statistics
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt

from nasctl.core import (
    Architecture,
    Candidate,
    Dataset,
    EstimatorContext,
    Evaluation,
    Genotype,
    Metrics,
    SearchSpace,
)
from nasctl.errors import RequestError
from nasctl.estimator._independent import IndependentEstimator
from nasctl.estimator._table_check import check, check_names, check_split
from nasctl.estimator._table_file import Values, hashes, read
from nasctl.estimator._table_rows import Rows

CLOCK = "simulated_seconds"


class Table(IndependentEstimator):
    """Returns what the table says of an architecture; reads no data set, builds no network.

    Of several ``accuracy`` columns, the training seeds of each architecture, the search sees one, ``searched``,
    as ``accuracy`` and ``error``; the mean of the others is ``reported_accuracy`` and ``reported_error``, so a
    winner's luck is not reported. ``seconds`` adds up to a simulated clock, apart from measured cost. Nothing here is
    random: ``searched=null`` takes a column by the search's seed.
    """

    def __init__(
        self,
        context: EstimatorContext,
        *,
        root: str,
        file: str,
        split: Literal["train", "val", "test"],
        architecture: str,
        accuracy: Annotated[list[str], Field(min_length=1)],
        searched: NonNegativeInt | None,
        percent: bool,
        seconds: str | None,
        metrics: dict[str, str],
        partial: bool,
    ) -> None:
        self.space, self.split, self.partial = context.space, split, partial
        self.error_kind = f"table ({split})"
        self.accuracy, self.percent, self.seconds, self.metrics = accuracy, percent, seconds, metrics
        self.searched = context.seed % len(accuracy) if searched is None else searched
        if self.searched >= len(accuracy):
            raise RequestError(
                f"estimator.searched={searched} counts from 0, but estimator.accuracy names {len(accuracy)}; "
                f"choose at most {len(accuracy) - 1}"
            )
        columns = [(f"estimator.{setting}", column) for setting, column in self._columns()]
        check_names(list(metrics))
        self.table = read(Path(root, file), architecture, tuple(columns))
        check(self.table, tuple(self._columns()), percent)
        check_split(accuracy, split)
        self.rows = Rows(self.table, context.space)
        self.known: dict[Architecture, Metrics | None] = {}  # the rows asked for so far

    def _columns(self) -> list[tuple[str, str]]:
        seconds = [] if self.seconds is None else [("seconds", self.seconds)]
        others = [(f"metrics.{name}", column) for name, column in self.metrics.items()]
        return [*(("accuracy", column) for column in self.accuracy), *seconds, *others]

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        metrics = self.look_up(candidate.arch)
        return Evaluation(metrics, facts={name: metrics[name] for name in (CLOCK,) if name in metrics})

    def look_up(self, arch: Architecture) -> Metrics:
        metrics = self._known(arch)
        if metrics is None:
            raise self._lacking(arch)
        return metrics

    def covers(self, arch: Architecture) -> bool:
        return not self.partial or self._known(arch) is not None

    def _known(self, arch: Architecture) -> Metrics | None:
        if arch not in self.known:
            values = self.rows.get(self._notation(arch))
            self.known[arch] = None if values is None or None in values else self._metrics(arch, values)
        return self.known[arch]

    def _metrics(self, arch: Architecture, values: Values) -> Metrics:
        numbers = [float(value) for value in values if value is not None]
        count = len(self.accuracy)
        scores = [self._share(arch, value) for value in numbers[:count]]
        others = [score for i, score in enumerate(scores) if i != self.searched]
        metrics = _both("", scores[self.searched])
        if others:
            metrics |= _both("reported_", statistics.fmean(others))
        if self.seconds is not None:
            metrics[CLOCK] = numbers[count]
        return metrics | dict(zip(self.metrics, numbers[len(numbers) - len(self.metrics) :], strict=True))

    def _share(self, arch: Architecture, accuracy: float) -> float:
        """Return an accuracy of the table in [0, 1]."""
        share = accuracy / 100 if self.percent else accuracy
        if not 0 <= share <= 1:
            raise RequestError(
                f"{self.table.path}, row {self.rows.line(self._notation(arch))}: accuracy {accuracy:g} does not lie "
                f"in {'[0, 100]; correct it' if self.percent else '[0, 1]; correct it or set estimator.percent=true'}"
            )
        return share

    def _notation(self, arch: Architecture) -> str:
        return self.space.format.notation(self.space.format.canonical(self.space.genotype(arch)))

    def _lacking(self, arch: Architecture) -> RequestError:
        name, remedy = self._notation(arch), "add it or set estimator.partial=true to search among those that are there"
        if name not in self.rows:
            near = difflib.get_close_matches(name, self.rows, n=1, cutoff=0)
            return RequestError(f"{self.table.path}: has no row for {name}, the nearest is {near[0]}; {remedy}")
        values = zip(self._columns(), self.rows[name], strict=True)
        blank = ", ".join(column for (_, column), value in values if value is None)
        return RequestError(f"{self.table.path}, row {self.rows.line(name)}: {name} has no {blank}; {remedy}")

    @classmethod
    def reads(cls, settings: Mapping[str, Any], dataset: Dataset) -> Mapping[str, str]:
        return hashes(Path(settings["root"], settings["file"]))

    @classmethod
    def costs(cls, settings: Mapping[str, Any], space: SearchSpace) -> Mapping[str, Callable[[Genotype], float]]:
        return {name: Column(settings, space, name, column) for name, column in settings["metrics"].items()}

    def fingerprint(self) -> Mapping[str, str]:
        return self.table.hashes

    def facts(self) -> Mapping[str, Any]:
        """Return the split and the columns searched by and reported."""
        others = [column for i, column in enumerate(self.accuracy) if i != self.searched]
        return {"table": {"split": self.split, "searched": self.accuracy[self.searched], "reported": others}}


class Column:
    """One cost of a table's architectures."""

    def __init__(self, settings: Mapping[str, Any], space: SearchSpace, name: str, column: str) -> None:
        self.path, self.architecture = Path(settings["root"], settings["file"]), settings["architecture"]
        self.space, self.setting, self.column = space, f"estimator.metrics.{name}", column

    @cached_property
    def rows(self) -> Rows:
        return Rows(read(self.path, self.architecture, ((self.setting, self.column),)), self.space)

    def __call__(self, genotype: Genotype) -> float:
        name = self.space.format.notation(self.space.format.canonical(genotype))
        (value,) = self.rows.get(name) or (None,)
        if value is None:
            raise RequestError(
                f"{self.path}: has no {self.column} for {name}; add it or set estimator.partial=true to search among "
                "those that are there"
            )
        return value


def _both(prefix: str, accuracy: float) -> dict[str, float]:
    return {f"{prefix}accuracy": accuracy, f"{prefix}error": 100 * (1 - accuracy)}
