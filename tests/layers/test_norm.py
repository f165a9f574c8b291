"""Batch normalisation against torch's own."""

import copy

import pytest
import torch

from nasctl.layers.norm import Norm
from tests.space.equal import assert_close

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def pair(affine, dtype=torch.float64):
    torch.manual_seed(0)
    ours, theirs = Norm(3, affine=affine).to(dtype), torch.nn.BatchNorm2d(3, affine=affine).to(dtype)
    for values in (*ours.parameters(), ours.running_mean):
        torch.nn.init.normal_(values)
    torch.nn.init.uniform_(ours.running_var, 0.5, 2)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    return ours, theirs


def images(layout, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(4, 3, 6, 5, generator=generator, dtype=dtype) * 2 + 3
    return x.contiguous(memory_format=layout).requires_grad_()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_it_is_torchs_norm_to_the_second_derivative(affine, training, layout):
    results = []
    for norm in pair(affine):
        x, norm = images(layout), norm.train(training)
        y, leaves = norm(x), [x, *norm.parameters()]
        gradients = torch.autograd.grad((y**3).sum(), leaves, create_graph=True)
        again = torch.autograd.grad(sum((g**2).sum() for g in gradients), leaves)
        results.append([y, *gradients, *again, norm.running_mean, norm.running_var])
        assert norm.num_batches_tracked == training
    for ours, theirs in zip(*results, strict=True):
        assert_close(ours, theirs)


def test_its_first_gradients_are_torchs():
    results = []
    for norm in pair(affine=True):
        x = images(torch.channels_last)
        (norm(x) ** 3).sum().backward()
        results.append([x.grad, norm.weight.grad, norm.bias.grad])
    for ours, theirs in zip(*results, strict=True):
        assert_close(ours, theirs)


def test_statistics_of_a_channels_last_map_are_as_accurate_as_in_nchw():
    generator = torch.Generator().manual_seed(2)
    x = 1 + torch.randn(16, 8, 32, 32, generator=generator)
    exact = x.double().mean((0, 2, 3)), x.double().var((0, 2, 3))
    norm = Norm(8, affine=False, momentum=1.0)
    torches = torch.nn.BatchNorm2d(8, affine=False, momentum=1.0)
    for module in (norm, torches):
        module(x.contiguous(memory_format=torch.channels_last))
    assert error(norm, exact) < 4e-7
    assert error(norm, exact) < 0.3 * error(torches, exact)


def error(norm, exact):
    pairs = zip((norm.running_mean, norm.running_var), exact, strict=True)
    return max(float(((ours.double() - true).abs() / true).max()) for ours, true in pairs)


def test_a_half_precision_map_gives_what_torch_gives():
    norm = Norm(3)
    other = copy.deepcopy(norm)
    x = images(torch.channels_last, torch.float32).detach().bfloat16()
    assert torch.equal(norm(x), torch.nn.BatchNorm2d.forward(other, x))
    assert torch.allclose(norm.running_mean, other.running_mean, atol=1e-6)
