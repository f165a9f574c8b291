"""Breast tumours, benign or malignant, that come with scikit-learn (https://archive.ics.uci.edu/dataset/17)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, NonNegativeInt, PositiveInt

from nasctl.core import Task
from nasctl.dataset._binary import BinaryClassification
from nasctl.dataset._table import HeldOut, Table
from nasctl.task_kinds import ROWS

Portion = Annotated[float, Field(gt=0, lt=1)]


class BreastCancer(BinaryClassification):
    """569 tumours, 30 measured numbers ``(30,)`` each, benign (1) or malignant (0); needs no file.

    Street, Wolberg and Mangasarian 1993. Numbers are standardised by the rows that are not held out.
    """

    def __init__(
        self,
        root: Path,
        device: torch.device,
        seed: int,
        *,
        val_portion: Portion,
        test_portion: Portion,
        test_seed: NonNegativeInt,
        split_seed: int | None,
        limit_train: PositiveInt | None,
        limit_test: PositiveInt | None,
    ) -> None:
        super().__init__(
            Task(ROWS, (30,), 1),
            read,
            device,
            seed,
            split="random",
            val_portion=val_portion,
            test_portion=test_portion,
            test_seed=test_seed,
            split_seed=split_seed,
            limit_train=limit_train,
            limit_test=limit_test,
        )


def read(held_out: HeldOut) -> Table:
    """Return the tumours, in the order that scikit-learn has them."""
    from sklearn.datasets import load_breast_cancer  # a second to import, so only where it is needed

    values, labels = load_breast_cancer(return_X_y=True)
    seen = values[~held_out(len(values))]
    numbers = ((values - seen.mean(0)) / seen.std(0)).astype(np.float32)
    digest = hashlib.sha256(np.column_stack([values, labels]).data).hexdigest()
    return Table(list(numbers.T), [], [], labels, False, {"data": digest})
