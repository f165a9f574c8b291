"""The kinds of tasks that data sets have, and the sentence that refuses those that something does not take."""

from __future__ import annotations

from collections.abc import Collection

from nasctl.core import Task
from nasctl.errors import RequestError

IMAGES, ROWS, TEXT = "image_classification", "tabular_classification", "language"

DATA = {
    IMAGES: "a data set of images",
    ROWS: "a data set of rows, such as dataset=breast_cancer",
    TEXT: "a data set of text, such as dataset=ptb",
}


def check(task: Task, takes: Collection[str], what: str, otherwise: str = "") -> None:
    """Raise `RequestError` unless ``task`` is of a kind that ``takes`` names.

    ``what`` is the first clause, as in "space=darts builds image classifiers"; ``otherwise`` ends the remedy, as in
    " or a space for that task".
    """
    if task.kind not in takes:
        data = " or ".join(DATA.get(kind, f"a data set whose task is {kind}") for kind in sorted(takes))
        raise RequestError(f"{what}, but the data set's task is {task.kind}; choose {data}{otherwise}")
