"""The DARTS supernet against a plainly written reference, and what of it runs."""

from collections import Counter

import pytest
import torch
from torch import nn

from benchmarks.plain import DARTS_OPTIONS, PlainDarts
from benchmarks.precision import NAMES
from nasctl import walk
from nasctl.core import Candidate, Task
from tests.space.equal import assert_close, assert_same_gradients, carry, gradients, relaxed_rows, rewritten


@pytest.fixture
def pair(space):
    """Return a small space, its supernet, the plain network of the same weights, and images."""
    darts = space("darts", Task("image_classification", (2, 8, 8), 3), small=True)
    torch.manual_seed(1)
    supernet, plain = darts.supernet().double(), PlainDarts(2, 3).double()
    carry(supernet, plain, NAMES)
    return darts, supernet, plain, torch.randn(4, 2, 8, 8, dtype=torch.float64)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("training", [True, False])
def test_the_supernet_equals_the_plain_network(pair, training, layout):
    darts, supernet, plain, x = pair
    supernet, x = supernet.to(memory_format=layout), x.contiguous(memory_format=layout)
    assert list(darts.operations) == list(DARTS_OPTIONS)
    rows, arch = relaxed_rows(darts, 2), (0,) * 24
    ours, theirs = supernet.train(training)(x, Candidate(arch, rows)), plain.train(training)(x, rows)
    assert_close(ours, theirs)
    ours, theirs = gradients(supernet, ours, rows), gradients(plain, theirs, rows)
    assert_same_gradients(ours, theirs, NAMES)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_of_a_gradient_equals_the_plain_networks(pair, layout):
    darts, supernet, plain, x = pair
    supernet, x = supernet.to(memory_format=layout), x.contiguous(memory_format=layout)
    rows = relaxed_rows(darts, 3)
    ours = mixed_derivative(supernet, supernet(x, Candidate((0,) * 24, rows)), rows)
    theirs = mixed_derivative(plain, plain(x, rows), rows)
    for mine, other in zip(ours, theirs, strict=True):
        assert_close(mine, other)


def mixed_derivative(network, logits, rows):
    """Return the gradient to the rows of the squared norm of the gradient to the weights."""
    gradients = torch.autograd.grad(logits.logsumexp(1).sum(), list(network.parameters()), create_graph=True)
    return torch.autograd.grad(sum((g**2).sum() for g in gradients), rows)


def test_running_statistics_move_as_in_the_plain_network(pair):
    darts, supernet, plain, x = pair
    rows = relaxed_rows(darts, 2)
    supernet(x, Candidate((0,) * 24, rows))
    plain(x, rows)
    ours = {rewritten(name, NAMES): value for name, value in supernet.state_dict().items()}
    for name, value in plain.state_dict().items():
        assert torch.allclose(ours[name], value, rtol=1e-10), name


def test_mixed_precision_is_close_and_gives_finite_gradients(pair):
    darts, supernet, _, x = pair
    supernet, x = supernet.float(), x.float().contiguous(memory_format=torch.channels_last)
    rows = [row.detach().float().requires_grad_() for row in relaxed_rows(darts, 2)]
    exact = supernet(x, Candidate((0,) * 24, rows))
    with torch.autocast("cpu", torch.bfloat16):
        logits = supernet(x, Candidate((0,) * 24, rows)).float()
    assert (logits - exact).norm() < 0.1 * exact.norm() and not torch.equal(logits, exact)
    found = torch.autograd.grad(logits.logsumexp(1).sum(), [*rows, *supernet.parameters()])
    assert all(g.isfinite().all() for g in found)


def test_gradients_are_the_same_under_data_parallel(pair, tmp_path):
    darts, supernet, _, x = pair
    candidate = Candidate((0,) * 24, [row.detach() for row in relaxed_rows(darts, 2)])
    supernet(x, candidate).logsumexp(1).sum().backward()
    expected = {name: p.grad for name, p in supernet.named_parameters()}
    supernet.zero_grad(set_to_none=True)
    store = f"file://{tmp_path}/store"
    torch.distributed.init_process_group("gloo", init_method=store, rank=0, world_size=1)
    try:
        nn.parallel.DistributedDataParallel(supernet)(x, candidate).logsumexp(1).sum().backward()
    finally:
        torch.distributed.destroy_process_group()
    for name, p in supernet.named_parameters():
        assert_close(p.grad, expected[name], name)


def test_an_active_option_runs_alone_and_its_weight_multiplies(pair):
    darts, supernet, plain, x = pair
    rows = relaxed_rows(darts, 4)
    active = [i % 8 for i in range(len(rows))]
    ran = operations_run(supernet)
    ours = supernet(x, Candidate((0,) * 24, rows, active))
    masks = [torch.eye(8, dtype=torch.float64)[k] for k in active]
    theirs = plain(x, [row * mask for row, mask in zip(rows, masks, strict=True)])
    assert_close(ours, theirs)
    assert ran == expected_runs(darts, active)
    ours, theirs = gradients(supernet, ours, rows), gradients(plain, theirs, rows)
    assert_same_gradients(ours, theirs, NAMES)
    assert all(ours[f"row {i}"][k] != 0 for i, k in enumerate(active) if k != 0)


def test_a_picked_path_runs_only_its_own_operations(pair):
    darts, supernet, _, x = pair
    arch = walk.uniform(darts, torch.Generator().manual_seed(5))
    ran = operations_run(supernet)
    supernet(x, Candidate(arch))
    assert ran == expected_runs(darts, darts.relaxed_path(arch))
    assert sum(ran.values()) == 3 * 8  # eight operations in each of three cells


def operations_run(supernet):
    """Return a counter of (cell, edge, operation) that each call of an operation adds to."""
    ran = Counter()
    for i, cell in enumerate(supernet.cells):
        for edge, operations in cell.edges.items():
            for name, module in operations.items():
                module.register_forward_hook(lambda *_, key=(i, edge, name): ran.update([key]))
    return ran


def expected_runs(darts, options):
    """Return what runs if row i takes ``options[i]``, in one normal and two reduction cells."""
    runs = Counter()
    for row, option in zip(darts.relaxed_choices, options, strict=True):
        kind, edge = row.name.split("/")
        if row.options[option] != "none":
            runs.update((i, edge, row.options[option]) for i in ((0,) if kind == "normal" else (1, 2)))
    return runs
