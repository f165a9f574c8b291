"""Operations of the DARTS cell and of the published cells trained in its networks.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 3.1; separable convolutions as in its code.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from nasctl.layers.blocks import FactorizedReduce, ReLUConvBN
from nasctl.layers.depthwise import Depthwise
from nasctl.layers.norm import Norm
from nasctl.layers.pointwise import Pointwise

Build = Callable[[int, int, bool, bool], nn.Module]
"""(channels, stride, affine, pool_norm) -> module: ``(n, c, h, w) -> (n, c, h / stride, w / stride)``."""


def _separable(kernel: int, strides: tuple[int, ...], channels: int, dilation: int, affine: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for stride in strides:
        layers += [nn.ReLU(), Depthwise(channels, kernel, stride, dilation)]
        layers += [Pointwise(channels, channels), Norm(channels, affine=affine)]
    return nn.Sequential(*layers)


def _sep_conv(kernel: int) -> Build:
    return lambda c, stride, affine, pool_norm: _separable(kernel, (stride, 1), c, 1, affine)


def _dil_conv(kernel: int) -> Build:
    return lambda c, stride, affine, pool_norm: _separable(kernel, (stride,), c, 2, affine)


def _pool(make: Callable[[int], nn.Module]) -> Build:
    def build(channels: int, stride: int, affine: bool, pool_norm: bool) -> nn.Module:
        if not pool_norm:
            return make(stride)
        return nn.Sequential(make(stride), Norm(channels, affine=False))

    return build


def _skip(channels: int, stride: int, affine: bool, pool_norm: bool) -> nn.Module:
    return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine)


def _conv_7x1_1x7(channels: int, stride: int, affine: bool, pool_norm: bool) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, (1, 7), (1, stride), (0, 3), bias=False),
        nn.Conv2d(channels, channels, (7, 1), (stride, 1), (3, 0), bias=False),
        Norm(channels, affine=affine),
    )


OPERATIONS: dict[str, Build] = {
    "max_pool_3x3": _pool(lambda stride: nn.MaxPool2d(3, stride, padding=1)),
    "avg_pool_3x3": _pool(lambda stride: nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)),
    "skip_connect": _skip,
    "sep_conv_3x3": _sep_conv(3),
    "sep_conv_5x5": _sep_conv(5),
    "sep_conv_7x7": _sep_conv(7),
    "dil_conv_3x3": _dil_conv(3),
    "dil_conv_5x5": _dil_conv(5),
    "conv_7x1_1x7": _conv_7x1_1x7,
    "conv_3x3": lambda c, stride, affine, pool_norm: ReLUConvBN(c, c, 3, stride, affine),
}
"""Every operation but ``none``, which is the absence of one."""


class Zero(nn.Module):
    """The operation ``none`` of published genotypes: zeros in place of what it reads."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x[:, :, :: self.stride, :: self.stride])


class Noise(nn.Module):
    """The operation ``noise`` of Zela et al. 2020, https://arxiv.org/abs/1909.09656, space S4.

    As in the authors' code it returns standard normal numbers of the map's shape, in evaluation too.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return torch.randn_like(x[:, :, :: self.stride, :: self.stride], requires_grad=False)


BUILDABLE: dict[str, Build] = {
    **OPERATIONS,
    "none": lambda channels, stride, affine, pool_norm: Zero(stride),
    "noise": lambda channels, stride, affine, pool_norm: Noise(stride),
}
"""What a genotype may name: published cells hold ``none`` on edges that nothing passes, and ``noise``."""
