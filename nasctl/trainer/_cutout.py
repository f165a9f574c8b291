"""Cutout: a square of each training image is set to zero, the mean of normalised images.

DeVries and Taylor 2017, https://arxiv.org/abs/1708.04552, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nasctl.seeds import position_seed


class Cutout:
    """Cut a square out of each image of a batch; its place is a pure function of (seed, position).

    The side is ``share`` of the image's shorter side, so one setting fits every size: 0.5 is the paper's 16 of
    CIFAR-10's 32 pixels. ``at`` is the point of the square that is sampled uniformly over the image: its ``centre``,
    or, as in the released code of ENAS (https://arxiv.org/abs/1802.03268), its upper left ``corner``, so that it
    overhangs only below and on the right. The places have their own generator: cutout changes no other random number.
    """

    def __init__(self, share: float, seed: int, device: torch.device, at: str) -> None:
        self.share, self.seed, self.at = share, seed, at
        self._generator = torch.Generator(device)

    def __call__(self, images: Tensor, position: int) -> Tensor:
        """Return images ``(n, channels, height, width)`` with a hole each."""
        if not self.share:
            return images
        self._generator.manual_seed(position_seed(self.seed, "cutout", position))
        height, width = images.shape[2:]
        row, column = (self._draw(side, len(images)) for side in (height, width))
        side = round(self.share * min(height, width))
        to_centre = side // 2 if self.at == "corner" else 0
        return cut(images, row + to_centre, column + to_centre, side)

    def _draw(self, below: int, count: int) -> Tensor:
        return torch.randint(below, (count,), generator=self._generator, device=self._generator.device)


def cut(images: Tensor, row: Tensor, column: Tensor, side: int) -> Tensor:
    """Return the images with a square of zeros about each centre ``row, column`` ``(n,)``, clipped at the border.

    It spans ``row - side // 2`` up to ``row + side // 2``, the last not included, as in the authors' code:
    an odd side makes a hole one pixel smaller.
    """
    half = side // 2
    down = torch.arange(images.shape[2], device=images.device) - row[:, None]
    across = torch.arange(images.shape[3], device=images.device) - column[:, None]
    hole = ((-half <= down) & (down < half))[:, None, :, None] & ((-half <= across) & (across < half))[:, None, None]
    return images.masked_fill(hole, 0)
