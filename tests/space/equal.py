"""Compare a supernet with a plainly written reference that carries the same weights."""

import re

import torch


def relaxed_rows(space, seed):
    """Return a random mixture of each row in float64, as leaves that want a gradient."""
    generator = torch.Generator().manual_seed(seed)
    logits = [torch.randn(len(row.options), generator=generator, dtype=torch.float64) for row in space.relaxed_choices]
    return [row.softmax(0).requires_grad_() for row in logits]


def carry(supernet, plain, names):
    """Load the supernet's state into ``plain``, each name rewritten by the pairs (pattern, replacement)."""
    state = {rewritten(name, names): value for name, value in supernet.state_dict().items()}
    plain.load_state_dict(state, strict=True)


def rewritten(name, names):
    """Return ``name`` as the plain network has it."""
    for pattern, replacement in names:
        name = re.sub(pattern, replacement, name)
    return name


def gradients(network, outputs, rows):
    """Return the gradients of a fixed random combination of ``outputs`` by name: all weights, all rows."""
    generator = torch.Generator().manual_seed(0)
    loss = (outputs * torch.randn(outputs.shape, generator=generator, dtype=outputs.dtype)).sum()
    weights = dict(network.named_parameters())
    leaves = [*weights.values(), *rows]
    found = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
    return dict(zip([*weights, *(f"row {i}" for i in range(len(rows)))], found, strict=True))


def assert_same_gradients(ours, plain, names):
    assert len(ours) == len(plain)
    for name, gradient in ours.items():
        assert_close(gradient, plain[rewritten(name, names)], name)


def assert_close(ours, plain, name="outputs"):
    """Demand agreement to 1e-10 of the largest entry."""
    error = float((ours - plain).detach().abs().max())
    assert error <= 1e-10 * float(plain.detach().abs().max()), f"{name}: off by {error}"
