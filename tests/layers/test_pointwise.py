"""A convolution of single pixels is torch's, with its gradients, in both layouts."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasctl.layers.pointwise import Pointwise, convolution, pointwise

LAYOUTS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


def tensors(layout):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64, generator=generator).contiguous(memory_format=LAYOUTS[layout])
    weight = torch.randn(6, 3, 1, 1, dtype=torch.float64, generator=generator)
    return x.requires_grad_(), weight.requires_grad_()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_values_and_first_and_second_gradients_are_torchs(layout):
    found = []
    for function in (pointwise, F.conv2d):
        x, weight = tensors(layout)
        y = function(x, weight)
        first = torch.autograd.grad(y.tanh().sum(), (x, weight), create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in first), (x, weight))
        found.append([y, *first, *second])
        assert y.is_contiguous(memory_format=LAYOUTS[layout])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_only_single_pixels_of_stride_one_are_a_product():
    assert type(convolution(3, 4, 1)) is Pointwise
    for kernel, stride in ((1, 2), (3, 1)):
        conv = convolution(3, 4, kernel, stride)
        assert type(conv) is nn.Conv2d and conv(torch.ones(1, 3, 8, 8)).shape[2:] == (8 // stride, 8 // stride)
