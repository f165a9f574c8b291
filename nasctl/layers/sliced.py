"""Layers that compute with the first channels of their weights; with all of them they are the usual ones.

Yu and Huang 2019, https://arxiv.org/abs/1903.05134, section 3. Maps are ``(batch, channels, height, width)``.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class Conv(nn.Conv2d):
    """A convolution without bias to ``width`` channels, from as many as ``x`` has."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int) -> None:
        super().__init__(c_in, c_out, kernel, stride, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor, width: int) -> Tensor:  # type: ignore[override]
        return F.conv2d(x, self.weight[:width, : x.shape[1]], None, self.stride, self.padding)


class Norm(nn.BatchNorm2d):
    """A batch norm of the first channels, as many as ``x`` has."""

    def forward(self, x: Tensor) -> Tensor:
        mean, var, scale, shift = (
            None if whole is None else whole[: x.shape[1]]
            for whole in (self.running_mean, self.running_var, self.weight, self.bias)
        )
        return F.batch_norm(x, mean, var, scale, shift, self.training, self.momentum or 0.0, self.eps)


class ReLUConvNorm(nn.Module):
    """ReLU, convolution, norm: ``(n, c, h, w) -> (n, width, h / stride, w / stride)``."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int, affine: bool) -> None:
        super().__init__()
        self.conv, self.norm = Conv(c_in, c_out, kernel, stride), Norm(c_out, affine=affine)

    def forward(self, x: Tensor, width: int) -> Tensor:
        outputs: Tensor = self.norm(self.conv(x.relu(), width))
        return outputs


class Classifier(nn.Linear):
    """Pooled channels ``(n, c)`` to logits ``(n, outputs)``."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight[:, : x.shape[1]], self.bias)
