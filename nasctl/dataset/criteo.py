"""Clicks on display advertisements: the Kaggle challenge of Criteo (https://www.kaggle.com/c/criteo-display-ad-challenge)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveInt

from nasctl.core import Task
from nasctl.dataset._binary import BinaryClassification
from nasctl.dataset._clicks import Clicks, vocabularies
from nasctl.errors import MissingDataError
from nasctl.task_kinds import ROWS

Portion = Annotated[float, Field(gt=0, lt=1)]


class Criteo(BinaryClassification):
    """Rows of 13 numbers and 26 categories, clicked or not; the inputs are ``(39,)``, numbers before ids.

    Reads ``root/file``, the raw text or a CSV with a header, plain or gzipped, and keeps it as columns in a folder
    beside it (or in ``cache``), made anew when the file's size or time has changed. Integers become standardised
    signed logarithms, 0 where they are missing; values of a category that fewer than ``min_count`` rows have share
    one id. The held-out test takes part in neither. `RequestError` for a missing file and, with
    ``on_bad_rows=error``, for the first line that cannot be read.
    """

    def __init__(
        self,
        root: Path,
        device: torch.device,
        seed: int,
        *,
        file: str,
        separator: Literal["\t", ","],
        header: bool,
        on_bad_rows: Literal["error", "skip"],
        cache: str | None,
        min_count: PositiveInt,
        missing_inputs: bool,
        split: Literal["random", "time"],
        val_portion: Portion,
        test_portion: Portion,
        test_seed: NonNegativeInt,
        split_seed: int | None,
        limit_train: PositiveInt | None,
        limit_test: PositiveInt | None,
    ) -> None:
        clicks = Clicks(
            path=Path(root, file),
            separator=separator,
            header=header,
            on_bad_rows=on_bad_rows,
            cache=cache,
            min_count=min_count,
            missing_inputs=missing_inputs,
            held_out_by={"split": split, "test_portion": test_portion, "test_seed": test_seed},
        )
        super().__init__(
            Task(ROWS, (clicks.inputs,), 1, vocabularies(self)),
            lambda held_out: self._found(clicks).read(held_out),
            device,
            seed,
            split=split,
            val_portion=val_portion,
            test_portion=test_portion,
            test_seed=test_seed,
            split_seed=split_seed,
            limit_train=limit_train,
            limit_test=limit_test,
        )

    @staticmethod
    def _found(clicks: Clicks) -> Clicks:
        if not clicks.path.is_file():
            raise MissingDataError(
                f"dataset: no file {clicks.path}; fetch the challenge's train.txt there, or set dataset.file in the"
                " folder that paths.data=DIR names"
            )
        return clicks
