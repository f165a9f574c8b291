"""Convolution of single pixels: a matrix product where the channels of a pixel lie side by side, as in channels_last.

On CPUs the product and its two gradients take about two thirds of the time of torch's convolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Pointwise(nn.Conv2d):
    """A 1x1 convolution of stride 1 without bias."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(c_in, c_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return pointwise(x, self.weight)


def pointwise(x: Tensor, weight: Tensor) -> Tensor:
    """Return ``(n, c_out, h, w)`` for a map ``(n, c_in, h, w)`` and a kernel ``(c_out, c_in, 1, 1)``."""
    if x.device.type == "cpu" and x.is_contiguous(memory_format=torch.channels_last):
        return F.linear(x.permute(0, 2, 3, 1), weight.flatten(1)).permute(0, 3, 1, 2)
    return F.conv2d(x, weight)


def convolution(c_in: int, c_out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Return a convolution without bias that keeps the map's size, or divides it by ``stride``."""
    if kernel == stride == 1:
        return Pointwise(c_in, c_out)
    return nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=False)
