"""Whether the columns of a table can be what the settings say they are: accuracies in percent or shares, seconds.

Each fault is a `RequestError`: a search on figures that mean something else would end without one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from nasctl.errors import RequestError
from nasctl.estimator._table_file import TableFile

OWN = ("accuracy", "error", "reported_accuracy", "reported_error", "simulated_seconds")
"""Metrics that a table gives by itself; a further column cannot bear their names."""

GAP = 10.0  # times that the least percentage exceeds the largest share, where a column holds both
_NO_ACCURACY = re.compile(r"(?<![a-z])(err|errors?|loss|losses|nll|ppl|perplexity|mse|rmse)(?![a-z])", re.IGNORECASE)
_SPLITS = re.compile(  # words of a column's name, between other letters, or with a capital of their own
    r"(?<![A-Za-z])(?:test|TEST|train|TRAIN|val|VAL|valid|VALID)(?![a-z])|(?<![A-Z])(?:Test|Train|Val|Valid)(?![a-z])"
    r"|(?<![A-Za-z])(?:training|validation)(?![a-z])|(?<![A-Z])(?:Training|Validation)(?![a-z])"
)


def check_split(columns: Sequence[str], split: str) -> None:
    """Raise `RequestError` for a column that its name calls one of test accuracies, read as those of another split.

    Of several words the last counts: ``cifar10-valid/x-test`` holds test accuracies.
    """
    for column in columns if split != "test" else ():
        words = _SPLITS.findall(column)
        if words and words[-1].lower() == "test":
            raise RequestError(
                f"estimator.split={split}: by its name the column {column} of estimator.accuracy holds test "
                f"accuracies; set estimator.split=test, or name a column of the {split} split"
            )


@lru_cache(maxsize=8)
def check(table: TableFile, columns: tuple[tuple[str, str], ...], percent: bool) -> None:
    """Raise `RequestError` for the first fault of ``columns``, pairs of a setting and its column in the table's order.

    Of a folder of NATS-Bench, whose rows are read when they are asked for, only the names are checked.
    """
    for place, (setting, column) in enumerate(columns):
        values = [(name, row[place]) for name, row in table.in_memory.items()]
        known = [(table.lines[name], value) for name, value in values if value is not None]
        if setting == "accuracy":
            _check_name(column)
            _check_range(table, column, known, percent)
            if percent:
                _check_percent(table, column, known)
        elif setting == "seconds":
            _check_not_negative(table, column, known)


def check_names(metrics: Sequence[str]) -> None:
    """Raise `RequestError` where a further metric would replace one of the table's own."""
    for name in metrics:
        if name in OWN:
            raise RequestError(
                f"estimator.metrics.{name}: the table gives {name} by itself, from estimator.accuracy and "
                f"estimator.seconds; choose another name, such as table_{name}"
            )


Known = Sequence[tuple[int, float]]
"""The rows of a column that have a value, with it."""


def _check_name(column: str) -> None:
    if found := _NO_ACCURACY.search(column):
        raise RequestError(
            f"estimator.accuracy={column}: by its name ({found[0]}) the column holds no accuracies; name a column that "
            "does, or write one: 100 less the error in percent"
        )


def _check_range(table: TableFile, column: str, known: Known, percent: bool) -> None:
    most = 100 if percent else 1
    for row, value in known:
        if not 0 <= value <= most:
            remedy = "correct it" if percent or value < 0 else "correct it or set estimator.percent=true"
            raise RequestError(
                f"{table.path}, row {row}: accuracy {value:g} does not lie in [0, {most}]; {remedy} (column {column})"
            )


def _check_percent(table: TableFile, column: str, known: Known) -> None:
    """Raise `RequestError` where all values, or some beside percentages, can only be shares of 1."""
    largest = max((value for _, value in known), default=0.0)
    if 0 < largest <= 1:
        raise RequestError(
            f"{table.path}: estimator.percent=true, but none of the {len(known):,} values of {column} exceeds 1 (the "
            f"largest is {largest:g}); set estimator.percent=false, or give accuracies in percent"
        )
    shares = [(row, value) for row, value in known if 0 < value <= 1]
    others = min((value for _, value in known if value > 1), default=0.0)
    if len({value for _, value in shares}) > 1 and others >= GAP * max(value for _, value in shares):
        row, value = shares[0]
        raise RequestError(
            f"{table.path}, row {row}: accuracy {value:g} stands among percentages from {others:g} on, as do "
            f"{len(shares) - 1} more below 1; write all of {column} in percent"
        )


def _check_not_negative(table: TableFile, column: str, known: Known) -> None:
    for row, value in known:
        if value < 0:
            raise RequestError(f"{table.path}, row {row}: {column} is {value:g}, a negative time; correct it")
