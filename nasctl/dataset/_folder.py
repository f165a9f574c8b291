"""Photographs in a folder a class, decoded by a pool of threads.

Training images are random resized crops, "inception style" (Szegedy et al. 2015, section 6,
https://arxiv.org/abs/1409.4842), mirrored and jittered in colour; others are central crops.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Annotated, Any

import numpy as np
import torch
from PIL import Image, ImageEnhance
from pydantic import BaseModel, Field
from torch import Tensor

from nasctl.dataset._images import normalise, per_channel
from nasctl.dataset._order import Order
from nasctl.digest import file_digest
from nasctl.errors import MissingDataError, RequestError, unknown

Example = tuple[Path, int]
"""A file and the index of its class."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the photograph."""

SUFFIXES = {".jpeg", ".jpg", ".png"}
MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
"""Pillow's modes of 8 bits a channel; those of more would be cut off at 255, without a word."""

WHOLE = 4 * 2**30  # bytes of photographs, beyond which a digest reads blocks of them
BLOCK = 4096  # bytes

JITTERS = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)


class Augment(BaseModel, extra="forbid", frozen=True):
    """A crop of at least ``area`` of the image, its sides at most 1 to ``aspect``; flip; colour jitter.

    Brightness, contrast and saturation are each multiplied by a factor in 1 +- ``jitter``, in random order.
    """

    area: Annotated[float, Field(gt=0, le=1)]
    aspect: Annotated[float, Field(ge=1)]
    flip: bool
    jitter: Annotated[float, Field(ge=0, le=1)]


class Augmentation(BaseModel, extra="forbid", frozen=True):
    """What is done to the images that search trains on, to those of architecture steps, and of the final training.

    Architecture steps see validation images; without an entry, as also in records of older runs, in the central crop.
    """

    search: Augment
    architecture: Augment | None = None
    final: Augment


def _whole(path: Path) -> str:
    return file_digest(path, "sha256")


def _blocks(path: Path) -> str:
    """Return the sha256 of the first, the middle and the last `BLOCK` bytes of a file."""
    size, found = path.stat().st_size, hashlib.sha256()
    with path.open("rb") as file:
        for start in (0, (size - BLOCK) // 2, size - BLOCK):
            file.seek(max(0, start))
            found.update(file.read(BLOCK))
    return found.hexdigest()


def central_box(width: int, height: int, share: float) -> Box:
    """Return the central square whose side is ``share`` of the shorter side."""
    side = min(width, height) * share
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def random_box(width: int, height: int, augment: Augment, draw: Random) -> Box:
    """Return a box of uniform area and log-uniform aspect; the central square if ten of them do not fit."""
    bound = math.log(augment.aspect)
    for _ in range(10):
        area = width * height * draw.uniform(augment.area, 1)
        aspect = math.exp(draw.uniform(-bound, bound))
        wide, high = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < wide <= width and 0 < high <= height:
            left, top = draw.randint(0, width - wide), draw.randint(0, height - high)
            return left, top, left + wide, top + high
    return central_box(width, height, 1)


def jitter(image: Image.Image, strength: float, draw: Random) -> Image.Image:
    """Multiply brightness, contrast and saturation, in random order."""
    for enhance in draw.sample(JITTERS, len(JITTERS)) if strength else ():
        image = enhance(image).enhance(draw.uniform(1 - strength, 1 + strength))
    return image


def read(path: Path) -> Image.Image:
    """Return the photograph in three channels, or raise `RequestError` if it cannot be decoded."""
    try:
        with Image.open(path) as image:
            if image.mode not in MODES:
                raise RequestError(
                    f"dataset: {path} has pixels of mode {image.mode}, which do not go into 8 bits a channel; convert "
                    "it to 8 bits"
                )
            return image.convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise RequestError(f"dataset: {path} is no image ({error}); replace the file or remove it") from error


class FolderSplit:
    """Batches of float32 ``(size, 3, side, side)`` and int64 labels ``(size,)`` on the device.

    ``view(image, draw)`` gives an image its final size; ``draw`` is seeded by the position in the split,
    so a batch is a pure function of seed, split, epoch and step.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        order: Order,
        view: Callable[[Image.Image, Random], Image.Image],
        pool: ThreadPoolExecutor,
        device: torch.device,
        *,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        self.examples, self.order, self.view, self.pool = examples, order, view, pool
        self.device, self.mean, self.std = device, per_channel(mean, device), per_channel(std, device)

    def __len__(self) -> int:
        return len(self.order)

    def batch(self, size: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Return inputs and labels; the last batch may be smaller; `IndexError` for a step past the epoch."""
        chosen = [self.examples[i] for i in self.order.batch(size, epoch, step).numpy()]
        seeds = (self.order.at(epoch, step, slot) for slot in range(len(chosen)))
        pixels = torch.stack(list(self.pool.map(self._decode, chosen, seeds)))
        labels = torch.tensor([label for _, label in chosen])
        inputs = normalise(pixels.to(self.device, non_blocking=True), self.mean, self.std)
        return inputs, labels.to(self.device, non_blocking=True)

    def _decode(self, example: Example, seed: int) -> Tensor:
        image = self.view(read(example[0]), Random(seed))
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)  # (3, side, side) uint8


class ImageFolder:
    """The source of data sets in ``folder/train/<class>/<image>`` and ``folder/val/<class>/<image>``.

    ``val`` is the held-out test. Examples are listed one of each class, then the next of each class and so
    on, so that a limit keeps the classes balanced. ``share`` is the part of the shorter side that a
    central crop keeps.
    """

    def __init__(
        self,
        folder: Path,
        device: torch.device,
        seed: int,
        *,
        num_classes: int,
        limit_train: int | None,
        limit_test: int | None,
        side: int,
        share: float,
        mean: Sequence[float],
        std: Sequence[float],
        augment: Augmentation,
        workers: int,
    ) -> None:
        self.folder, self.device, self.seed, self.num_classes = folder, device, seed, num_classes
        self.limit_train, self.limit_test = limit_train, limit_test
        self.side, self.share, self.mean, self.std = side, share, mean, std
        self.views = {"train": self._varied(augment.search), "full": self._varied(augment.final)}
        if augment.architecture is not None:
            self.views["architecture"] = self._varied(augment.architecture)
        self.pool = ThreadPoolExecutor(workers)

    def __len__(self) -> int:
        return len(self._training)

    def split(self, name: str, indices: Tensor, order: type[Order] = Order) -> FolderSplit:
        """Return the training examples ``indices`` as the split ``train``, ``val``, ``architecture`` or ``full``."""
        view, stream = self.views.get(name, self._plain), "val" if name == "architecture" else name
        placed = order(indices, torch.device("cpu"), self.seed, stream, shuffle=True)
        return self._split(self._training, placed, view)

    def test(self) -> FolderSplit:
        """Return the held-out examples in the order of the listing."""
        examples = self._list("val")[: self.limit_test]
        order = Order(torch.arange(len(examples)), torch.device("cpu"), self.seed, "test", shuffle=False)
        return self._split(examples, order, self._plain)

    def digest(self) -> str:
        """Return the sha256 of the training files' sorted names and sizes in bytes; no limit applies."""
        train = self._part("train")
        files = sorted((path.relative_to(train).as_posix(), path.stat().st_size) for path, _ in self._list("train"))
        return hashlib.sha256("".join(f"{name} {size}\n" for name, size in files).encode()).hexdigest()

    def contents(self) -> dict[str, str]:
        """Return a hash of the content of the photographs in ``train`` and, where it is there, in ``val``."""
        parts = {"train_photographs": "train", "test_photographs": "val"}
        return {name: self._content(part) for name, part in parts.items() if (self.folder / part).is_dir()}

    def _content(self, part: str) -> str:
        """Return the sha256 of all files, or of three blocks of each where they have more than `WHOLE` bytes."""
        paths = sorted(path for path, _ in self._list(part))
        large = sum(path.stat().st_size for path in paths) > WHOLE
        digests = self.pool.map(_blocks if large else _whole, paths)
        return ("blocks " if large else "") + hashlib.sha256("".join(digests).encode()).hexdigest()

    @cached_property
    def _training(self) -> list[Example]:
        return self._list("train")[: self.limit_train]

    @cached_property
    def _classes(self) -> list[str]:
        train = self._part("train")
        names = sorted(path.name for path in train.iterdir() if path.is_dir())
        if len(names) != self.num_classes:
            raise RequestError(
                f"dataset.num_classes is {self.num_classes} but {train} holds {len(names)} class folders;"
                f" set dataset.num_classes={len(names)} or complete the folder"
            )
        return names

    def _split(self, examples: Sequence[Example], order: Order, view: Callable[..., Any]) -> FolderSplit:
        return FolderSplit(examples, order, view, self.pool, self.device, mean=self.mean, std=self.std)

    def _list(self, part: str) -> list[Example]:
        labels = {name: label for label, name in enumerate(self._classes)}
        ranked: list[tuple[int, int, Path]] = []
        for folder in (path for path in self._part(part).iterdir() if path.is_dir()):
            if folder.name not in labels:
                raise unknown(f"dataset: class folder in {folder.parent}", folder.name, labels)
            files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
            if not files:
                raise RequestError(
                    f"dataset: {folder} holds no image ({', '.join(sorted(SUFFIXES))}); complete it or remove it"
                )
            ranked += [(rank, labels[folder.name], path) for rank, path in enumerate(files)]
        if missing := labels.keys() - {path.parent.name for _, _, path in ranked}:
            raise RequestError(
                f"dataset: {self._part(part)} lacks the class {min(missing)} of {self._part('train')}; complete it"
            )
        return [(path, label) for _, label, path in sorted(ranked)]

    def _part(self, part: str) -> Path:
        folder = self.folder / part
        if not folder.is_dir():
            raise MissingDataError(
                f"dataset: no folder {folder}; it should hold a folder of images a class: set paths.data=DIR"
                f" to the folder that holds {self.folder.name}, or dataset.folder to its name"
            )
        return folder

    def _plain(self, image: Image.Image, draw: Random) -> Image.Image:
        return self._resized(image, central_box(*image.size, self.share))

    def _varied(self, augment: Augment) -> Callable[[Image.Image, Random], Image.Image]:
        def view(image: Image.Image, draw: Random) -> Image.Image:
            crop = self._resized(image, random_box(*image.size, augment, draw))
            if augment.flip and draw.random() < 0.5:
                crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            return jitter(crop, augment.jitter, draw)

        return view

    def _resized(self, image: Image.Image, box: Box) -> Image.Image:
        return image.resize((self.side, self.side), Image.Resampling.BILINEAR, box=box)
