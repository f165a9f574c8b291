"""ImageNet and other folders of photographs (Russakovsky et al. 2015, https://arxiv.org/abs/1409.0575)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt

from nasctl.core import Task
from nasctl.dataset._classification import ImageClassification
from nasctl.dataset._folder import Augmentation, ImageFolder
from nasctl.dataset._images import check_channels
from nasctl.task_kinds import IMAGES


class ImageNet(ImageClassification):
    """Photographs in ``root/folder/{train,val}/<class>``, seen as ``(3, image_size, image_size)``.

    The published validation set, in ``val``, is the held-out test; search validates on a part of ``train``.
    `RequestError` for a missing folder, another number of classes, or a file that is no image.
    """

    def __init__(
        self,
        root: Path,
        device: torch.device,
        seed: int,
        *,
        folder: str,
        num_classes: PositiveInt,
        train_portion: Annotated[float, Field(gt=0, lt=1)],
        search_split: Literal["random", "order"],
        split_seed: int | None,
        architecture_batches: Literal["epoch", "independent"],
        limit_train: PositiveInt | None,
        limit_test: PositiveInt | None,
        image_size: PositiveInt,
        centre: Annotated[float, Field(gt=0, le=1)],
        mean: Sequence[float],
        std: Sequence[PositiveFloat],
        augment: Augmentation,
        workers: PositiveInt,
    ) -> None:
        check_channels(3, mean=mean, std=std)
        augment = Augmentation.model_validate(augment)
        images = ImageFolder(
            Path(root) / folder,
            device,
            seed,
            num_classes=num_classes,
            limit_train=limit_train,
            limit_test=limit_test,
            side=image_size,
            share=centre,
            mean=mean,
            std=std,
            augment=augment,
            workers=workers,
        )
        super().__init__(
            Task(IMAGES, (3, image_size, image_size), num_classes),
            images,
            train_portion=train_portion,
            search_split=search_split,
            split_seed=seed if split_seed is None else split_seed,
            varied=augment.architecture is not None,
            architecture_batches=architecture_batches,
        )
        self._images = images

    def fingerprint(self) -> Mapping[str, str]:
        """Return hashes of the files' names and sizes, of their content, and those of both halves' indices."""
        return {**super().fingerprint(), **self._images.contents()}
