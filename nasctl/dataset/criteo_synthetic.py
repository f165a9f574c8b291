"""Generated click logs with a planted bottleneck teacher, read by the same path as the real ones."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from nasctl.core import Task
from nasctl.dataset._binary import BinaryClassification
from nasctl.dataset._click_teacher import Teacher, text
from nasctl.dataset._clicks import Clicks, vocabularies
from nasctl.digest import file_digest
from nasctl.errors import RunError
from nasctl.task_kinds import ROWS

log = logging.getLogger("nasctl")

Portion = Annotated[float, Field(gt=0, lt=1)]
BLOCK = 1 << 14  # rows written at once


class CriteoSynthetic(BinaryClassification):
    """``rows`` generated rows of 13 numbers and 26 categories, labelled by a known network (`Teacher`).

    The first use writes them to ``root/criteo_synthetic`` in the raw format, under a name that the settings give, and
    from then on they are what `nasctl.dataset.criteo.Criteo` makes of such a file.
    """

    def __init__(
        self,
        root: Path,
        device: torch.device,
        seed: int,
        *,
        rows: PositiveInt,
        teacher_seed: NonNegativeInt,
        teacher_values: Annotated[int, Field(ge=4)],
        teacher_embedding: PositiveInt,
        teacher_widths: list[PositiveInt],
        teacher_signal: PositiveFloat,
        click_rate: Portion,
        blank: Annotated[float, Field(ge=0, lt=1)],
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
        teacher = Teacher(
            seed=teacher_seed,
            values=teacher_values,
            embedding=teacher_embedding,
            widths=teacher_widths,
            signal=teacher_signal,
            click_rate=click_rate,
            blank=blank,
        )
        clicks = Clicks(
            path=file_of(Path(root), teacher, rows),
            separator="\t",
            header=False,
            on_bad_rows="error",
            cache=None,
            min_count=min_count,
            missing_inputs=missing_inputs,
            held_out_by={"split": split, "test_portion": test_portion, "test_seed": test_seed},
        )
        super().__init__(
            Task(ROWS, (clicks.inputs,), 1, vocabularies(self)),
            lambda held_out: write(clicks, teacher, rows).read(held_out),
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


def file_of(root: Path, teacher: Teacher, rows: int) -> Path:
    """Return the file that these settings name."""
    name = hashlib.blake2b(repr((teacher, rows)).encode(), digest_size=5).hexdigest()
    return root / "criteo_synthetic" / f"{name}.txt"


def write(clicks: Clicks, teacher: Teacher, rows: int) -> Clicks:
    """Write the rows to the file of ``clicks`` unless it is there; it is whole or absent.

    Its sha256 lies beside it: a file that has another one is generated again.
    """
    path = clicks.path
    if path.is_file() and _as_generated(path):
        return clicks
    log.warning("%s: generating %d rows, once", path, rows)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            file.writelines(map(text, teacher.blocks(rows, BLOCK)))
        _digest_beside(path).write_text(file_digest(unfinished, "sha256"), encoding="utf-8")
        os.replace(unfinished, path)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error}); free some disk space or set paths.data=DIR") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return clicks


def _as_generated(path: Path) -> bool:
    """Return whether a generated file is as it was written; one without a digest, of an older version, passes."""
    beside = _digest_beside(path)
    if not beside.is_file() or beside.read_bytes().strip() == file_digest(path, "sha256").encode():
        return True
    log.warning("%s: damaged; it is generated again", path)
    return False


def _digest_beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
