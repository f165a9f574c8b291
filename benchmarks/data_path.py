"""Whole-batch augmentation against a DataLoader of two workers with the same distribution (crop, flip, normalise)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from benchmarks.pairs import alternate
from nasctl.dataset._images import Augment, ImageSplit, Pixels
from nasctl.dataset._order import Order

IMAGES, BATCH = 8192, 64
MEAN, STD = [0.49139968, 0.48215827, 0.44653124], [0.24703233, 0.24348505, 0.26158768]


class Plain(Dataset):
    """Crop, flip and normalise image by image, as most training scripts do."""

    def __init__(self, pixels: Tensor, labels: Tensor) -> None:
        self.pixels, self.labels = pixels, labels
        steps = [v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True)]
        self.transform = v2.Compose([*steps, v2.Normalize(MEAN, STD)])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.transform(self.pixels[i]), self.labels[i]


def rows() -> Iterator[tuple[str, float, float, float]]:
    """Yield the seconds of an epoch of 8,192 images in batches of 64, workers already running."""
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (IMAGES, 3, 32, 32), generator=draw, dtype=torch.uint8)
    labels = torch.randint(10, (IMAGES,), generator=draw)
    order = Order(torch.arange(IMAGES), torch.device("cpu"), 0, "train", shuffle=True)
    split = ImageSplit(Pixels(pixels, labels, pad=4, mean=MEAN, std=STD), order, Augment(pad=4, flip=True))
    loader = DataLoader(Plain(pixels, labels), BATCH, shuffle=True, num_workers=2, persistent_workers=True)

    def ours() -> None:
        for step in range(IMAGES // BATCH):
            split.batch(BATCH, 0, step)

    def plain() -> None:
        for _ in loader:
            pass

    yield (f"{IMAGES} augmented images / DataLoader, 2 workers", *alternate(ours, plain, pairs=5))
