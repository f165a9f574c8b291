"""A matrix used at every time step: the same numbers as a product a step."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nasctl.layers.projection import Projection

STEPS, BATCH, WIDTH = 5, 3, 4


def setting():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, WIDTH, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(WIDTH, WIDTH, generator=generator, dtype=torch.float64, requires_grad=True)
    return x, weight


def unrolled(x, weight, multiply, steps=STEPS):
    states = [x]
    for _ in range(steps):
        states.append(multiply(states[-1]).tanh())
    return sum(state.square().sum() for state in states[1:])


def both(steps=STEPS):
    """Return the two unrolled losses, and the leaves of each."""
    x, weight = setting()
    ours = unrolled(x, weight, Projection(weight, STEPS, BATCH), steps)
    return (ours, unrolled(x, weight, lambda h: h @ weight, steps)), [x, weight]


@pytest.mark.parametrize("steps", [1, STEPS])  # fewer than announced, too
def test_values_and_gradients_are_those_of_a_product_a_step(steps):
    (ours, plain), leaves = both(steps)
    assert torch.equal(ours, plain)
    for a, b in zip(torch.autograd.grad(ours, leaves), torch.autograd.grad(plain, leaves), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_second_derivatives_are_too():
    losses, leaves = both()
    found = []
    for loss in losses:
        first = torch.autograd.grad(loss, leaves, create_graph=True)
        found.append(torch.autograd.grad(sum(g.square().sum() for g in first), leaves))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_a_gradient_to_the_input_alone_leaves_nothing_behind():
    (ours, plain), leaves = both()
    torch.autograd.grad(ours, leaves[:1], retain_graph=True)
    for a, b in zip(torch.autograd.grad(ours, leaves), torch.autograd.grad(plain, leaves), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_the_gradient_to_the_weight_is_one_product():
    x, weight = setting()
    loss = unrolled(x, weight, Projection(weight, STEPS, BATCH))
    shapes = []

    class Products(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func is torch.ops.aten.mm.default:
                shapes.append(tuple(args[0].shape))
            return func(*args, **(kwargs or {}))

    with Products():
        torch.autograd.grad(loss, weight)
    assert sorted(shapes) == sorted([(WIDTH, STEPS * BATCH), *[(BATCH, WIDTH)] * STEPS])


def test_without_gradients_it_is_a_plain_product():
    x, weight = setting()
    with torch.no_grad():
        assert torch.equal(Projection(weight, 1, BATCH)(x), x @ weight)
    fixed = Projection(weight.detach(), 1, BATCH)
    (gradient,) = torch.autograd.grad(fixed(x).sum(), x)
    torch.testing.assert_close(gradient, weight.sum(1).expand(BATCH, -1), rtol=1e-12, atol=0)
