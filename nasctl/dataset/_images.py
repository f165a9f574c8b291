"""Small images that live on the device, augmented a whole batch at a time.

Crop and flip are the usual ones for CIFAR (He et al. 2015, section 4.2, https://arxiv.org/abs/1512.03385):
the border is black *before* normalising.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property

import numpy as np
import torch
from pydantic import BaseModel, NonNegativeInt
from torch import Tensor
from torch.nn.functional import interpolate
from torch.nn.functional import pad as pad_border

from nasctl.dataset._order import Order
from nasctl.errors import RequestError

Arrays = tuple[np.ndarray, np.ndarray]
"""Pixels ``(n, channels, height, width)`` uint8 and labels ``(n,)`` int64."""


class Augment(BaseModel, extra="forbid", frozen=True):
    """Random crop out of a border of ``pad`` pixels, flip in one of two cases."""

    pad: NonNegativeInt
    flip: bool


class Augmentation(BaseModel, extra="forbid", frozen=True):
    """What is done to the images that search trains on, to those of architecture steps, and of the final training.

    Architecture steps see validation images; without an entry, as also in records of older runs, as they are.
    """

    search: Augment
    architecture: Augment | None = None
    final: Augment


Facts = tuple[str, int]
"""The sha256 of training examples, and their number."""

KNOWN: dict[Hashable, Facts] = {}
"""Of training files by their stamp, for the data sets of a process."""

PLAIN = Augment(pad=0, flip=False)
"""Nothing: validation and test."""


def per_channel(values: Sequence[float], device: torch.device) -> Tensor:
    """Return ``(channels, 1, 1)`` float32."""
    return torch.tensor(values, dtype=torch.float32, device=device).view(-1, 1, 1)


def check_channels(channels: int, **values: Sequence[float]) -> None:
    """Raise `RequestError` unless each of ``mean`` and ``std`` has one value a channel."""
    for key, given in values.items():
        if len(given) != channels:
            raise RequestError(f"dataset.{key}: {len(given)} values for {channels} channels; give one a channel")


def check_arrays(pixels: np.ndarray, labels: np.ndarray) -> None:
    """Raise `RequestError` unless pixels are bytes, as many as labels, and labels are whole numbers from 0 on."""
    if pixels.dtype != np.uint8 or pixels.ndim != 4:
        raise RequestError(
            f"dataset: pixels are {pixels.dtype} {pixels.shape}, not uint8 (images, channels, height, width); give "
            "values from 0 to 255, which are divided by 255 here"
        )
    if labels.shape != (len(pixels),):
        raise RequestError(f"dataset: labels {labels.shape} for {len(pixels):,} images; give one label an image")
    if labels.dtype.kind not in "iu" or (len(labels) and labels.min() < 0):
        raise RequestError(
            f"dataset: labels are {labels.dtype} from {labels.min():g} on; number the classes 0, 1, 2, ..."
        )


def normalise(pixels: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Map uint8 ``(n, channels, height, width)`` to float32 ``(pixels / 255 - mean) / std``."""
    return pixels.float().div_(255).sub_(mean).div_(std)


def resize(pixels: Tensor, side: int) -> Tensor:
    """Return uint8 images ``(n, channels, side, side)``, bilinear with antialiasing."""
    parts = (interpolate(part.float(), (side, side), mode="bilinear", antialias=True) for part in pixels.split(1024))
    return torch.cat([part.round_().clamp_(0, 255).to(torch.uint8) for part in parts])


class Pixels:
    """Images on the device, uint8 with a black border of ``pad`` pixels, and their labels.

    ``mean`` and ``std`` hold one value a channel, of pixels in [0, 1].
    """

    def __init__(
        self, pixels: Tensor, labels: Tensor, *, pad: int, mean: Sequence[float], std: Sequence[float]
    ) -> None:
        device, (_, channels, height, width) = pixels.device, pixels.shape
        self.pad, self.labels = pad, labels
        self.padded = pad_border(pixels, [pad] * 4)
        self.mean, self.std = (per_channel(values, device) for values in (mean, std))
        self.channels = torch.arange(channels, device=device).view(1, -1, 1, 1)
        self.rows, self.columns = torch.arange(height, device=device), torch.arange(width, device=device)

    def gather(self, index: Tensor, top: Tensor, left: Tensor, flip: Tensor) -> Tensor:
        """Return uint8 crops ``(n, channels, height, width)`` of the padded images ``index``.

        ``top`` and ``left`` ``(n,)`` are offsets in the padded image, ``flip`` ``(n,)`` is bool; the crop
        is mirrored after it is taken.
        """
        rows = self.rows + top[:, None]
        columns = torch.where(flip[:, None], self.columns.flip(0), self.columns) + left[:, None]
        return self.padded[index.view(-1, 1, 1, 1), self.channels, rows[:, None, :, None], columns[:, None, None]]


class ImageSplit:
    """Batches of float32 ``(size, channels, height, width)`` and int64 labels ``(size,)`` on the device.

    A batch is a pure function of seed, split, epoch and step, for one type of device: what is drawn comes
    from a generator on the device. No batch waits for the device.
    """

    def __init__(self, images: Pixels, order: Order, augment: Augment) -> None:
        self.images, self.order, self.augment = images, order, augment
        self._generator = torch.Generator(order.device)

    def __len__(self) -> int:
        return len(self.order)

    def batch(self, size: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Return inputs and labels; the last batch may be smaller; `IndexError` for a step past the epoch."""
        index = self.order.batch(size, epoch, step)
        self._generator.manual_seed(self.order.at(epoch, step))
        crops = self.images.gather(index, *self._draw_crops(len(index)))
        return normalise(crops, self.images.mean, self.images.std), self.images.labels[index]

    def _draw_crops(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        pad, flip = self.augment.pad, self.augment.flip
        top, left = self._draw(2 * pad + 1, 2, count) + (self.images.pad - pad)
        return top, left, self._draw(2, count).bool() & flip

    def _draw(self, below: int, *shape: int) -> Tensor:
        return torch.randint(below, shape, generator=self._generator, device=self.order.device)


class ResidentImages:
    """The source of data sets that fit on the device; ``read("train")`` or ``read("test")`` gives the arrays.

    Limits keep the first examples; ``image_size`` resizes once, after reading. Pads stay as many
    pixels as they say.
    """

    def __init__(
        self,
        read: Callable[[str], Arrays],
        device: torch.device,
        seed: int,
        *,
        limit_train: int | None,
        limit_test: int | None,
        image_size: int | None,
        mean: Sequence[float],
        std: Sequence[float],
        augment: Augmentation,
    ) -> None:
        self.read, self.device, self.seed = read, device, seed
        self.limits = {"train": limit_train, "test": limit_test}
        self.image_size, self.mean, self.std = image_size, mean, std
        self.augments = {"train": augment.search, "val": PLAIN, "full": augment.final}
        self.augments["architecture"] = augment.architecture or PLAIN
        self.stamp: Callable[[], Hashable] = lambda: None  # of the training files, where that is known without reading

    def __len__(self) -> int:
        count, limit = self._facts[1], self.limits["train"]
        return count if limit is None else min(count, limit)

    def split(self, name: str, indices: Tensor, order: type[Order] = Order) -> ImageSplit:
        """Return the training examples ``indices`` as the split ``train``, ``val``, ``architecture`` or ``full``."""
        stream = "val" if name == "architecture" else name
        placed = order(indices, self.device, self.seed, stream, shuffle=True)
        return ImageSplit(self._training[0], placed, self.augments[name])

    def test(self) -> ImageSplit:
        """Return the held-out examples, in order, not augmented."""
        indices = torch.arange(len(self._held_out.labels))
        return ImageSplit(self._held_out, Order(indices, self.device, self.seed, "test", shuffle=False), PLAIN)

    def digest(self) -> str:
        """Return the sha256 of the training set's pixels, then labels, as read: not limited, not resized."""
        return self._facts[0]

    @cached_property
    def _facts(self) -> Facts:
        """The digest and the number of all training examples; a process takes them once of files with a stamp."""
        stamp = self.stamp()
        if stamp is None or stamp not in KNOWN:
            KNOWN[stamp] = self._training[1]
        return KNOWN[stamp]

    @cached_property
    def _training(self) -> tuple[Pixels, Facts]:
        pixels, labels = map(np.ascontiguousarray, self.read("train"))
        check_arrays(pixels, labels)
        digest = hashlib.sha256(pixels.data)
        digest.update(labels.data)
        pad = max(augment.pad for augment in self.augments.values())
        return self._place("train", (pixels, labels), pad), (digest.hexdigest(), len(labels))

    @cached_property
    def _held_out(self) -> Pixels:
        arrays = self.read("test")
        check_arrays(*arrays)
        return self._place("test", arrays, PLAIN.pad)

    def _place(self, part: str, arrays: Arrays, pad: int) -> Pixels:
        limit = self.limits[part]
        pixels, labels = (torch.from_numpy(array[:limit]).to(self.device) for array in arrays)
        check_channels(pixels.shape[1], mean=self.mean, std=self.std)
        pixels = pixels if self.image_size is None else resize(pixels, self.image_size)
        return Pixels(pixels, labels, pad=pad, mean=self.mean, std=self.std)
