"""Batch normalisation (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167) with accurate statistics.

On CPUs torch sums a channels_last map pixel after pixel in float32, which loses about two digits of mean and
variance; in a supernet, ReLU and pooling turn that into gradients with ten times the error they have in NCHW.
Here the columns of a map are first treated as channels of their own and joined at the end: the same work, and
the accuracy of NCHW.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CACHE_LINE = 16
"""In numbers of float32. For channels that are no multiple, torch's threads write sums into shared lines, and wait."""


class Norm(nn.BatchNorm2d):
    """``nn.BatchNorm2d`` over the statistics of `normalise` where these are better; running ones are always kept."""

    def __init__(self, channels: int, affine: bool = True, momentum: float = 0.1) -> None:
        super().__init__(channels, affine=affine, momentum=momentum)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        if not _columns_help(x):
            return self._at_once(x)
        y, mean, variance = normalise(x, self.weight, self.bias, self.eps)
        track([self], mean, variance)
        return y

    def _at_once(self, x: Tensor) -> Tensor:
        """Return what torch does. ``data`` keeps autograd from watching statistics that the backward pass ignores."""
        (mean,), (variance,) = running([self])
        torch._foreach_add_([self.num_batches_tracked], 1)  # type: ignore[list-item]
        momentum = self.momentum or 0.0
        return F.batch_norm(x, mean.data, variance.data, self.weight, self.bias, True, momentum, self.eps)


def normalise(x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return ``x`` ``(n, c, h, w)`` normalised by its own statistics, its mean and its unbiased variance ``(c,)``."""
    if _columns_help(x):
        made: tuple[Tensor, Tensor, Tensor] = _Normalise.apply(x, weight, bias, eps)
        return made
    mean, variance = x.new_zeros(2, x.shape[1], dtype=torch.promote_types(x.dtype, torch.float32))
    return F.batch_norm(x, mean, variance, weight, bias, True, 1.0, eps), mean, variance


@torch.no_grad()
def track(norms: Sequence[nn.BatchNorm2d], mean: Tensor, variance: Tensor) -> None:
    """Move running statistics towards those of a batch: ``(c,)``, the same for all norms, or ``(norms * c,)``."""
    copies = len(norms) * norms[0].num_features // mean.shape[0]
    means, variances = running(norms)
    found = (values.to(means[0].dtype) for values in (mean, variance))
    batch = [part for values in found for part in (values.repeat(copies) if copies > 1 else values).chunk(len(norms))]
    torch._foreach_lerp_(means + variances, batch, norms[0].momentum or 0.0)
    torch._foreach_add_([n.num_batches_tracked for n in norms], 1)  # type: ignore[misc]


def running(norms: Sequence[nn.BatchNorm2d]) -> tuple[list[Tensor], list[Tensor]]:
    """Return the running means and variances, ``(c,)`` each."""
    statistics: list[Any] = [(n.running_mean, n.running_var) for n in norms]
    return [mean for mean, _ in statistics], [variance for _, variance in statistics]


def _columns_help(x: Tensor) -> bool:
    channels_last = not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
    return channels_last and x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean, variance = _statistics(x)
        ctx.eps = eps
        ctx.save_for_backward(x, weight, mean, (variance + eps).rsqrt())
        y = F.batch_norm(x, mean, variance, weight, bias, False, 0.0, eps)
        count = x.numel() / x.shape[1]
        unbiased = variance * (count / (count - 1))
        ctx.mark_non_differentiable(mean, unbiased)
        return y, mean, unbiased

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        if all(needed) and x.shape[1] % CACHE_LINE and not torch.is_grad_enabled():
            return *_backward(grad, x, weight, mean, inverse), None
        return *_torch_backward(grad, x, weight, mean, inverse, ctx.eps, needed), None


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and biased variance ``(c,)``: of each column and channel first, of each channel from those."""
    found = torch.ops.aten.batch_norm_update_stats(_columns(x), None, None, 0.0)
    means, variances = (values.view(-1, x.shape[1]) for values in found)
    mean = means.mean(0)
    return mean, variances.mean(0) + (means - mean).square().mean(0)


def _columns(x: Tensor) -> Tensor:
    """Return ``(n, w * c, h, 1)``, a view of a channels_last map ``(n, c, h, w)``."""
    n, c, h, w = x.shape
    return x.permute(0, 2, 3, 1).reshape(n, h, 1, w * c).permute(0, 3, 1, 2)


def _torch_backward(
    grad: Tensor, x: Tensor, weight: Tensor | None, mean: Tensor, inverse: Tensor, eps: float, needed: Sequence[bool]
) -> Sequence[Tensor]:
    made: Sequence[Tensor] = torch.ops.aten.native_batch_norm_backward(
        grad, x, weight, None, None, mean, inverse, True, eps, list(needed)
    )
    return made


def _backward(grad: Tensor, x: Tensor, weight: Tensor, mean: Tensor, inverse: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of ``x``, weight and bias, summed by columns: 3 times faster for 36 channels."""
    count, width = x.numel() / x.shape[1], x.shape[3]
    grad = grad.contiguous(memory_format=torch.channels_last)
    means, inverses = torch.stack((mean, inverse)).repeat(1, width)
    sums = _torch_backward(_columns(grad), _columns(x), None, means, inverses, 0.0, (False, True, True))[1:]
    to_weight, to_bias = (values.view(width, -1).sum(0) for values in sums)
    scale = weight * inverse
    slope = -scale * inverse * to_weight / count
    shift = -scale * to_bias / count
    to_x = F.batch_norm(x, mean, torch.ones_like(mean), slope, shift, False, 0.0, 0.0)  # slope * (x - mean) + shift
    return to_x.addcmul_(grad, scale.view(-1, 1, 1)), to_weight, to_bias
