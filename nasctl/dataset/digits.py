"""Handwritten digits that come with scikit-learn (Alpaydin and Kaynak 1998, https://archive.ics.uci.edu/dataset/80)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt

from nasctl.core import Task
from nasctl.dataset._classification import ImageClassification
from nasctl.dataset._images import Arrays, Augmentation, ResidentImages
from nasctl.task_kinds import IMAGES


class Digits(ImageClassification):
    """1,797 grey images ``(1, 8, 8)`` of 10 classes, by 13 writers; needs no file, ``root`` is not read.

    The first ``num_train`` train, the rest tests. The set is in no random order: neighbours are often by
    one hand, so the test part is mostly by other writers than the training part and harder than a random
    one. Grey levels 0..16 are scaled to 0..255.
    """

    def __init__(
        self,
        root: Path,
        device: torch.device,
        seed: int,
        *,
        num_train: Annotated[int, Field(gt=1, lt=1797)],
        train_portion: Annotated[float, Field(gt=0, lt=1)],
        search_split: Literal["random", "order"],
        split_seed: int | None,
        architecture_batches: Literal["epoch", "independent"],
        limit_train: PositiveInt | None,
        limit_test: PositiveInt | None,
        image_size: PositiveInt | None,
        mean: Sequence[float],
        std: Sequence[PositiveFloat],
        augment: Augmentation,
    ) -> None:
        self.parts = {"train": slice(num_train), "test": slice(num_train, None)}
        side = image_size or 8
        augment = Augmentation.model_validate(augment)
        images = ResidentImages(
            self._read,
            device,
            seed,
            limit_train=limit_train,
            limit_test=limit_test,
            image_size=image_size,
            mean=mean,
            std=std,
            augment=augment,
        )
        super().__init__(
            Task(IMAGES, (1, side, side), 10),
            images,
            train_portion=train_portion,
            search_split=search_split,
            split_seed=seed if split_seed is None else split_seed,
            varied=augment.architecture is not None,
            architecture_batches=architecture_batches,
        )

    def _read(self, part: str) -> Arrays:
        from sklearn.datasets import load_digits  # a second to import, so only where it is needed

        digits = load_digits()
        pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
        return pixels[self.parts[part]], digits.target.astype(np.int64)[self.parts[part]]
