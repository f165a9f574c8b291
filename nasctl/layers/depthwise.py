"""Depthwise convolution of stride 1 that keeps the map's size, with gradients that are fast on a CPU.

The three bilinear forms of input x, kernel w and output gradient g turn into each other when differentiated, so
two functions are closed under any number of derivatives:

- ``_Convolution(x, w)``: its gradient to x is the convolution of g with the flipped kernel, which CPUs compute
  several times faster than the gradient that torch would ask for, above all with dilation;
- ``_Correlation(x, g)``: the gradient to w. Kernels wider than three columns and dilated ones have no fast
  implementation on CPUs; here they are cut into bands of three columns and into the phases of the dilation.

Maps are ``(n, c, h, w)``, kernels ``(c, 1, k, k)`` with k odd.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BAND = 3  # widest kernel for which a depthwise weight gradient has its own implementation on CPUs


class Depthwise(nn.Conv2d):
    """A depthwise convolution without bias; with an odd kernel and stride 1 it keeps the map's size."""

    def __init__(self, channels: int, kernel: int, stride: int, dilation: int) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return depthwise(x, self.weight, self.stride[0], self.dilation[0])


def depthwise(x: Tensor, weight: Tensor, stride: int, dilation: int) -> Tensor:
    """Return the depthwise convolution ``(n, c, h / stride, w / stride)`` of ``x``, zero outside its borders."""
    if stride == dilation == 2:  # such a kernel reads only every other pixel
        x, stride, dilation = x[:, :, ::2, ::2], 1, 1
    if x.device.type == "cpu" and stride == 1 and not torch.is_autocast_enabled("cpu"):
        outputs: Tensor = _Convolution.apply(x, weight, dilation)
        return outputs
    return _convolve(x, weight, stride, dilation)


def _convolve(x: Tensor, weight: Tensor, stride: int, dilation: int) -> Tensor:
    padding = dilation * (weight.shape[-1] // 2)
    return F.conv2d(x, weight, None, stride, padding, dilation, groups=x.shape[1])


class _Convolution(torch.autograd.Function):
    """The convolution of a map with a kernel; differentiable any number of times."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, dilation: int) -> Tensor:
        to_x, to_weight, _ = ctx.needs_input_grad
        ctx.save_for_backward(x if to_weight else None, weight if to_x else None)
        ctx.dilation, ctx.size = dilation, weight.shape[-1]
        return _convolve(x, weight, 1, dilation)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        return (
            None if weight is None else _Convolution.apply(grad, weight.flip(2, 3), ctx.dilation),
            None if x is None else _Correlation.apply(x, grad, ctx.size, ctx.dilation),
            None,
        )


class _Correlation(torch.autograd.Function):
    """The kernel gradient: the correlation of a map with the gradient of its convolution."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, grad: Tensor, size: int, dilation: int) -> Tensor:
        ctx.save_for_backward(x, grad)
        ctx.dilation = dilation
        return _correlate(_phases(x, dilation), _phases(grad, dilation), size)

    @staticmethod
    def backward(ctx: Any, direction: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, grad = ctx.saved_tensors
        to_x, to_grad, *_ = ctx.needs_input_grad
        return (
            _Convolution.apply(grad, direction.flip(2, 3), ctx.dilation) if to_x else None,
            _Convolution.apply(x, direction, ctx.dilation) if to_grad else None,
            None,
            None,
        )


def _phases(x: Tensor, dilation: int) -> Tensor:
    """Return the ``dilation ** 2`` sub-maps that a dilated kernel keeps apart, side by side in the batch."""
    if dilation == 1:
        return x
    x = F.pad(x, (0, -x.shape[3] % dilation, 0, -x.shape[2] % dilation))
    parts = [x[:, :, i::dilation, j::dilation] for i in range(dilation) for j in range(dilation)]
    return torch.cat(parts)


def _correlate(x: Tensor, grad: Tensor, size: int) -> Tensor:
    """Return the ``(c, 1, size, size)`` gradient of an undilated kernel, computed in bands of columns."""
    half = size // 2
    if size <= BAND:
        return _kernel_gradient(x, grad, size, size, half)
    columns = []
    for first in range(0, size, BAND):
        width = min(BAND, size - first)
        shifted = F.pad(x, (half - first, width - 1 - half + first))  # negative: cropped
        columns.append(_kernel_gradient(shifted, grad, size, width, 0))
    return torch.cat(columns, dim=3)


def _kernel_gradient(x: Tensor, grad: Tensor, height: int, width: int, padding: int) -> Tensor:
    """Return the gradient of a ``(c, 1, height, width)`` kernel; ``padding`` is that of the columns."""
    channels = x.shape[1]
    weight = x.new_empty(channels, 1, height, width)
    layout = torch.channels_last if grad.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
    x = x.contiguous(memory_format=layout)
    only_weight = [False, True, False]
    padded = [height // 2, padding]
    _, gradient, _ = torch.ops.aten.convolution_backward(
        grad, x, weight, None, [1, 1], padded, [1, 1], False, [0, 0], channels, only_weight
    )
    outputs: Tensor = gradient
    return outputs
