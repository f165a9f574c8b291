"""Convolution blocks that several cell spaces are made of.

All maps are ``(batch, channels, height, width)``.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasctl.errors import RequestError
from nasctl.layers.norm import Norm
from nasctl.layers.pointwise import convolution


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution without bias, norm: ``(n, c_in, h, w) -> (n, c_out, h / stride, w / stride)``."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int, affine: bool) -> None:
        super().__init__(
            nn.ReLU(),
            convolution(c_in, c_out, kernel, stride),
            Norm(c_out, affine=affine),
        )


class ConvBN(nn.Sequential):
    """Convolution without bias, norm: ``(n, c_in, h, w) -> (n, c_out, h, w)``."""

    def __init__(self, c_in: int, c_out: int, kernel: int) -> None:
        super().__init__(convolution(c_in, c_out, kernel), Norm(c_out))


class Halve(nn.Module):
    """Two strided 1x1 convolutions, the second on the map shifted by a pixel: ``(n, c, h, w) -> (n, c_out, h/2, w/2)``.

    ``weight`` is the 2x2 kernel, zero but at one corner, that does the same as one convolution.
    """

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        if c_out % 2:
            raise RequestError(f"channels: {c_out} is odd, but a strided skip splits them in two; use an even number")
        self.in_channels = c_in
        self.even = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)

    @property
    def weight(self) -> Tensor:
        """The kernel ``(c_out, c, 2, 2)``."""
        return torch.cat([F.pad(self.even.weight, (0, 1, 0, 1)), F.pad(self.odd.weight, (1, 0, 1, 0))])

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.even(x), self.odd(x[:, :, 1:, 1:])], dim=1)


class HalveBN(nn.Sequential):
    """Two strided 1x1 convolutions and a norm: ``(n, c_in, h, w) -> (n, c_out, h/2, w/2)``."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(Halve(c_in, c_out), Norm(c_out))


class FactorizedReduce(nn.Sequential):
    """Halve the map: ReLU, two strided 1x1 convolutions, norm."""

    def __init__(self, c_in: int, c_out: int, affine: bool) -> None:
        norm = Norm(c_out, affine=affine)
        super().__init__(OrderedDict(relu=nn.ReLU(), halve=Halve(c_in, c_out), norm=norm))


class DropPath(nn.Module):
    """Drop whole examples of a branch with probability ``probability`` while training, and rescale the rest.

    Larsson et al. 2017, https://arxiv.org/abs/1605.07648, as scheduled by Zoph et al. 2018,
    https://arxiv.org/abs/1707.07012. The trainer sets the probability through the network's ``drop_path``; all
    operations of a network share one instance. With ``by_depth`` a cell drops in proportion to its depth. A probability
    that is a tensor is read when the layer runs, so also in a replay of a graph.
    """

    def __init__(self) -> None:
        super().__init__()
        self.probability: float | Tensor = 0.0
        self.by_depth = False

    @property
    def dropping(self) -> bool:
        """Whether a call may drop anything."""
        return self.training and (isinstance(self.probability, Tensor) or self.probability > 0.0)

    def forward(self, x: Tensor, depth: float = 1.0) -> Tensor:
        """Map ``(n, c, h, w)`` to the same shape; ``depth`` in (0, 1] is the share of the cells up to this one."""
        if not self.dropping:
            return x
        keep = 1.0 - self.probability * (depth if self.by_depth else 1.0)
        mask = torch.rand(x.shape[0], 1, 1, 1, device=x.device, dtype=x.dtype) < keep
        return x * mask / keep
