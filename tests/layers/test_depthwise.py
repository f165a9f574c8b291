"""The depthwise convolution against torch's own, with first and second derivatives."""

import pytest
import torch
from torch.nn import functional as F

from nasctl.layers.depthwise import Depthwise, depthwise
from tests.space.equal import assert_close

SHAPES = [(3, 1, 1, 8), (5, 1, 1, 8), (7, 1, 1, 6), (3, 1, 2, 8), (5, 1, 2, 9), (3, 1, 2, 7)]
STRIDED = [(3, 2, 1, 8), (5, 2, 1, 9), (3, 2, 2, 8), (5, 2, 2, 9)]
LAYOUTS = [torch.contiguous_format, torch.channels_last]


def reference(x, weight, stride, dilation):
    return F.conv2d(x, weight, None, stride, dilation * (weight.shape[-1] // 2), dilation, groups=x.shape[1])


def problem(kernel, size, layout):
    torch.manual_seed(kernel)
    x = torch.randn(2, 6, size, size - 2, dtype=torch.float64).contiguous(memory_format=layout)
    return x.requires_grad_(), torch.randn(6, 1, kernel, kernel, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("kernel", "stride", "dilation", "size"), SHAPES + STRIDED)
def test_outputs_and_two_derivatives_are_torchs(kernel, stride, dilation, size, layout):
    leaves = problem(kernel, size, layout)
    ours = derivatives(lambda: depthwise(*leaves, stride, dilation), leaves)
    theirs = derivatives(lambda: reference(*leaves, stride, dilation), leaves)
    for mine, other in zip(ours, theirs, strict=True):
        assert_close(mine, other)


def derivatives(convolve, leaves):
    """Return outputs, gradients, and the gradients of a function that is not linear in those."""
    outputs = convolve()
    gradients = torch.autograd.grad((outputs**2).sum(), leaves, create_graph=True)
    return outputs, *gradients, *torch.autograd.grad(sum((g**2).sum() for g in gradients), leaves)


@pytest.mark.parametrize("fixed", [0, 1])
def test_what_needs_no_gradient_is_not_kept(fixed):
    leaves = list(problem(5, 8, torch.channels_last))
    leaves[fixed] = leaves[fixed].detach()
    outputs = depthwise(*leaves, 1, 1)
    assert [kept is not None for kept in outputs.grad_fn.saved_tensors] == [fixed == 0, fixed == 1]
    outputs.sum().backward()
    assert leaves[1 - fixed].grad is not None


def test_the_module_is_a_convolution_of_the_same_name_and_shape():
    module, plain = Depthwise(4, 5, 2, 2), torch.nn.Conv2d(4, 4, 5, 2, 4, 2, groups=4, bias=False)
    plain.load_state_dict(module.state_dict(), strict=True)
    x = torch.randn(2, 4, 8, 8)
    assert torch.allclose(module(x), plain(x), atol=1e-6)


def test_autocast_gives_what_torch_gives():
    x, weight = torch.randn(2, 6, 8, 8, requires_grad=True), torch.randn(6, 1, 3, 3, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        ours, theirs = depthwise(x, weight, 1, 2), reference(x, weight, 1, 2)
    assert ours.dtype == torch.bfloat16 and torch.equal(ours, theirs)
    ours.sum().backward()
    assert x.grad.dtype == torch.float32
