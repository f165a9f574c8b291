"""CIFAR-10 and CIFAR-100, as torchvision reads them (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt

from nasctl.core import Task
from nasctl.dataset._archive import untar
from nasctl.dataset._classification import ImageClassification
from nasctl.dataset._images import Arrays, Augmentation, ResidentImages
from nasctl.digest import file_digest, stamp_of
from nasctl.errors import MissingDataError, RequestError, RunError
from nasctl.task_kinds import IMAGES

REMEDY = "set dataset.download=true to fetch the data set, or paths.data=DIR to the folder that holds it"


class CIFAR(ImageClassification):
    """50,000 training and 10,000 test images ``(3, 32, 32)`` of 10 or 100 (fine) classes.

    Reads ``root/cifar-10-batches-py`` or ``root/cifar-100-python``, the published pickles, and unpickles
    nothing before the md5 of every file has matched torchvision's table. `RequestError` for a missing
    or damaged file, `RunError` if a download fails.
    """

    def __init__(
        self,
        root: Path,
        device: torch.device,
        seed: int,
        *,
        num_classes: Literal[10, 100],
        download: bool,
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
        self.root, self.num_classes, self.download = Path(root), num_classes, download
        side = image_size or 32
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
        images.stamp = self._stamp
        super().__init__(
            Task(IMAGES, (3, side, side), num_classes),
            images,
            train_portion=train_portion,
            search_split=search_split,
            split_seed=seed if split_seed is None else split_seed,
            varied=augment.architecture is not None,
            architecture_batches=architecture_batches,
        )

    def fingerprint(self) -> Mapping[str, str]:
        """Return the hashes of every image data set, and that the files are the published ones: no others are read."""
        return {**super().fingerprint(), "published": "yes"}

    def _stamp(self) -> Hashable:
        """Return what the training files are known by, or raise `RequestError` if a file is missing or damaged."""
        published = self._checked()
        files = [self.root / published.base_folder / name for name, _ in published.train_list]
        return tuple(map(stamp_of, files))

    def _read(self, part: str) -> Arrays:
        published = self._checked()
        read = published(self.root, train=part == "train")
        return read.data.transpose(0, 3, 1, 2), np.array(read.targets, dtype=np.int64)

    def _checked(self) -> Any:
        """Return torchvision's reader of files that are as published, after a download if need be."""
        published = self._published()
        fault = self._fault(published)
        if fault and self.download:
            self._fetch(published)
            fault = self._fault(published)
        if fault:
            raise fault
        return published

    def _published(self) -> Any:
        from torchvision import datasets  # seconds to import, so only where it is needed

        return {10: datasets.CIFAR10, 100: datasets.CIFAR100}[self.num_classes]

    def _fetch(self, published: Any) -> None:
        from torchvision.datasets.utils import download_url

        try:
            download_url(published.url, self.root, filename=published.filename, md5=published.tgz_md5)
            untar(self.root / published.filename, self.root)
        except (OSError, RuntimeError) as error:
            raise RunError(
                f"dataset.download: {published.url} did not arrive in {self.root} ({error});"
                " fetch and unpack it there by hand, or try again"
            ) from error

    def _fault(self, published: Any) -> RequestError | None:
        folder = self.root / published.base_folder
        if not folder.is_dir():
            return MissingDataError(f"dataset: no folder {folder}; {REMEDY}")
        meta = (published.meta["filename"], published.meta["md5"])
        files = (*published.train_list, *published.test_list, meta)
        return next(filter(None, (_file_fault(folder / name, md5) for name, md5 in files)), None)


def _file_fault(path: Path, expected: str) -> RequestError | None:
    if not path.is_file():
        return MissingDataError(f"dataset: no file {path}; {REMEDY}")
    found = file_digest(path, "md5")
    if found == expected:
        return None
    return RequestError(f"dataset: {path} is damaged, its md5 is {found} and not {expected}; {REMEDY}")
