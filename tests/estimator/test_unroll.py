"""The gradient through one virtual step: against numbers, against the paper's formula, on the paper's toy.

Loss and gradients are compared in float64. Where numbers are compared with a derivative, the network is made
smooth (softplus for ReLU, no max pooling): at a kink the gradient of the training loss jumps, so the unrolled
loss jumps with it, and a difference over 2e-6 that straddles such a jump says nothing about the derivative.
"""

from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.func import functional_call

from nasctl.core import Candidate
from nasctl.estimator.unroll._bilevel import Bilevel, VirtualStep
from nasctl.estimator.unroll.exact import Exact
from nasctl.estimator.unroll.finite_difference import FiniteDifference
from nasctl.estimator.unroll.first_order import FirstOrder
from tests.marked import slow
from tests.small import Problem

LR, MOMENTUM, DECAY = 0.1, 0.9, 0.05
OPERATIONS = "space.operations=[none,avg_pool_3x3,skip_connect,sep_conv_3x3,dil_conv_5x5]"


def first_order(train, val, weights, rows, step, radius):
    return FirstOrder().loss(Bilevel(train, val, weights, step), rows, None)


def exact(train, val, weights, rows, step, radius):
    return Exact().loss(Bilevel(train, val, weights, step), rows, None)


def finite_difference(train, val, weights, rows, step, radius):
    return FiniteDifference(radius=radius).loss(Bilevel(train, val, weights, step), rows, None)


def supernet(*overrides, smooth=False, norms="batch"):
    """Return a float64 supernet with momentum, its losses on two batches of 8 images, and relaxed rows."""
    problem = Problem("space.search.channels=2", *overrides)
    torch.manual_seed(1)
    net = problem.space.supernet().double()
    if smooth:
        soften(net)
    batches = {name: problem.data.full().batch(8, 0, step) for step, name in enumerate(("train", "val"))}
    rows = problem.rows(2, torch.float64)
    if norms == "fixed":
        fix_norms(net, batches["train"][0].double(), rows)
    optimizer = torch.optim.SGD(net.parameters(), LR, MOMENTUM, weight_decay=DECAY)
    generator = torch.Generator().manual_seed(3)
    for w in net.parameters():
        buffer = 0.1 * torch.randn(w.shape, generator=generator, dtype=w.dtype)
        optimizer.state[w]["momentum_buffer"] = buffer

    def loss_on(name):
        x, y = batches[name]

        def loss(weights, rows):
            outputs = functional_call(net, dict(weights), (x.double(), Candidate((), rows)))
            return problem.data.loss(outputs, y)

        return loss

    weights = dict(net.named_parameters())
    buffers = {name: optimizer.state[w]["momentum_buffer"] for name, w in weights.items()}
    step = VirtualStep(LR, MOMENTUM, DECAY, buffers)
    return SimpleNamespace(
        net=net, optimizer=optimizer, train=loss_on("train"), val=loss_on("val"), rows=rows, weights=weights,
        step=step,
    )  # fmt: skip


def soften(net):
    for module in net.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.Softplus())


def fix_norms(net, x, rows):
    """Let the norms use running statistics, of a few passes over ``x``."""
    with torch.no_grad():
        for _ in range(10):
            net(x, Candidate((), rows))
    net.eval()


def row_gradient(unroll, problem, radius=0.01):
    loss = unroll(problem.train, problem.val, problem.weights, problem.rows, problem.step, radius)
    return torch.cat(torch.autograd.grad(loss, problem.rows))


def loss_after_a_step_of_sgd(problem, rows):
    """Return the validation loss of a copy of the network that took one step of torch's own SGD."""
    net, optimizer = deepcopy((problem.net, problem.optimizer))
    optimizer.zero_grad()
    problem.train(dict(net.named_parameters()), rows).backward()
    optimizer.step()
    with torch.no_grad():
        return problem.val(dict(net.named_parameters()), rows)


def central_differences(problem, h):
    flat = torch.cat(problem.rows).detach()
    sizes = [len(row) for row in problem.rows]
    differences = torch.empty_like(flat)
    for i in range(len(flat)):
        shift = torch.zeros_like(flat)
        shift[i] = h
        ahead, behind = (loss_after_a_step_of_sgd(problem, (flat + s).split(sizes)) for s in (shift, -shift))
        differences[i] = (ahead - behind) / (2 * h)
    return differences


@pytest.mark.parametrize("norms", slow(["batch", "fixed"], "batch"))
def test_exact_equals_central_differences_of_the_loss_after_a_step_of_sgd(norms):
    problem = supernet(OPERATIONS, smooth=True, norms=norms)
    expected, found = central_differences(problem, 1e-6), row_gradient(exact, problem)
    largest = expected.abs().max()
    assert (found - expected).abs().max() < 1e-6 * largest
    assert (row_gradient(first_order, problem) - expected).abs().max() > 0.05 * largest


@pytest.mark.parametrize("unroll", [exact, finite_difference])
def test_the_value_is_the_validation_loss_after_the_step(unroll):
    problem = supernet()
    loss = unroll(problem.train, problem.val, problem.weights, problem.rows, problem.step, 0.01)
    assert loss.item() == pytest.approx(loss_after_a_step_of_sgd(problem, problem.rows).item(), rel=1e-12)


@pytest.mark.parametrize("change", ["momentum", "weight_decay", "lr"])
@pytest.mark.parametrize("unroll", [exact, finite_difference])
def test_each_term_of_the_step_matters(unroll, change):
    problem = supernet(OPERATIONS)
    before = row_gradient(unroll, problem)
    terms = {"lr": LR, "momentum": MOMENTUM, "weight_decay": DECAY} | {change: 0.0}
    problem.step = VirtualStep(**terms, buffers=problem.step.buffers)
    after = row_gradient(unroll, problem)
    assert (after - before).abs().max() > 1e-3 * before.abs().max()


def formula(problem, radius):
    """Equations 7 and 8 as the paper writes them, with momentum and weight decay in the step."""
    rows, names = problem.rows, list(problem.weights)
    w = [problem.weights[name].detach() for name in names]

    def gradients(loss, values, of_rows):
        leaves = [value.detach().requires_grad_() for value in values]
        wanted = rows if of_rows else leaves
        found = torch.autograd.grad(loss(dict(zip(names, leaves, strict=True)), rows), wanted)
        return [g.detach() for g in found]

    slope = gradients(problem.train, w, of_rows=False)
    velocity = [problem.step.buffers[name] for name in names]
    ahead = [a - LR * (MOMENTUM * v + g + DECAY * a) for a, v, g in zip(w, velocity, slope, strict=True)]
    direction = gradients(problem.val, ahead, of_rows=False)
    epsilon = radius / sum((d**2).sum() for d in direction).sqrt()
    plus = gradients(problem.train, [a + epsilon * d for a, d in zip(w, direction, strict=True)], True)
    minus = gradients(problem.train, [a - epsilon * d for a, d in zip(w, direction, strict=True)], True)
    direct = gradients(problem.val, ahead, of_rows=True)
    return torch.cat(direct) - LR * (torch.cat(plus) - torch.cat(minus)) / (2 * epsilon)


def relative(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


def test_finite_difference_is_the_papers_formula():
    problem = supernet("space.nodes=2")  # all eight operations, ReLU and max pooling too
    expected = formula(problem, 0.01)
    assert relative(row_gradient(finite_difference, problem, 0.01), expected) < 1e-10
    assert relative(formula(problem, 0.02), expected) > 1e-8  # so the radius is told from another


@pytest.mark.parametrize("kind", ["smooth", "rectified"])
def test_finite_difference_of_a_small_radius_is_exact(kind):
    problem = supernet(OPERATIONS) if kind == "rectified" else supernet(OPERATIONS, smooth=True)
    expected = row_gradient(exact, problem)
    assert relative(row_gradient(finite_difference, problem, 1e-8), expected) < 1e-6
    assert relative(row_gradient(first_order, problem), expected) > 1e-2


@pytest.mark.parametrize("unroll", [first_order, exact, finite_difference])
def test_weights_stay_as_they_are(unroll):
    problem = supernet(OPERATIONS)
    before = {name: w.detach().clone() for name, w in problem.weights.items()}
    row_gradient(unroll, problem)
    assert all(torch.equal(before[name], w) for name, w in problem.weights.items())
    assert all(w.grad is None for w in problem.weights.values())


def test_the_virtual_step_is_torchs_sgd():
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    optimizer = torch.optim.SGD([w], 0.3, 0.8, weight_decay=0.1)
    for slope in ([0.5, 1.0], [-1.0, 2.0], [3.0, 0.0]):  # the first without a momentum buffer
        buffer = optimizer.state[w].get("momentum_buffer")
        step = VirtualStep(0.3, 0.8, 0.1, {} if buffer is None else {"w": buffer})
        ahead = step({"w": w.detach()}, [torch.tensor(slope)])
        w.grad = torch.tensor(slope)
        optimizer.step()
        torch.testing.assert_close(ahead["w"], w.detach())


def test_a_weight_that_the_loss_does_not_use_has_gradient_zero():
    weights = {name: torch.ones((), requires_grad=True) for name in ("used", "idle")}
    row = torch.tensor([2.0], requires_grad=True)
    step = VirtualStep(0.1, 0.0, 0.5, {})

    def loss(w, rows):
        return (w["used"] * rows[0]).sum()

    value = exact(loss, loss, weights, [row], step, 0.01)
    assert value.item() == pytest.approx((1 - 0.1 * (2 + 0.5)) * 2)


def descend(unroll, xi):
    """Return where gradient descent on the paper's toy ends; figure 2 of the paper starts it at (2, -2)."""
    alpha, w = (torch.tensor(start, dtype=torch.float64, requires_grad=True) for start in (2.0, -2.0))
    step = VirtualStep(lr=xi, momentum=0.0, weight_decay=0.0, buffers={})

    def train(weights, rows):
        return (weights["w"] - rows[0]) ** 2

    def val(weights, rows):
        return rows[0] * weights["w"] - 2 * rows[0] + 1

    for _ in range(500):
        (slope,) = torch.autograd.grad(unroll(train, val, {"w": w}, [alpha], step, 0.01), alpha)
        (descent,) = torch.autograd.grad(train({"w": w}, [alpha]), w)
        with torch.no_grad():
            alpha -= 0.05 * slope
            w -= 0.05 * descent
    return alpha.item(), w.item()


@pytest.mark.parametrize(
    "unroll, xi",
    [(first_order, 0.0), (exact, 0.25), (exact, 0.5), (finite_difference, 0.25), (finite_difference, 0.5)],
)
def test_the_papers_toy_ends_where_the_closed_form_says(unroll, xi):
    assert descend(unroll, xi) == pytest.approx([2 / (1 + 2 * xi)] * 2, abs=1e-6)


def test_a_clipped_virtual_step_is_the_optimizers_own():
    weights = {"a": torch.tensor([3.0, -1.0]).requires_grad_(), "b": torch.tensor([2.0]).requires_grad_()}
    gradients = [torch.tensor([30.0, 4.0]), torch.tensor([-12.0])]
    ahead = VirtualStep(0.5, 0.0, 0.1, {}, clip=2.0)(weights, gradients)
    optimizer = torch.optim.SGD(weights.values(), 0.5, weight_decay=0.1)
    for weight, gradient in zip(weights.values(), gradients, strict=True):
        weight.grad = gradient.clone()
    nn.utils.clip_grad_norm_(weights.values(), 2.0)
    optimizer.step()
    for name, weight in weights.items():
        torch.testing.assert_close(ahead[name], weight.detach())
    assert VirtualStep(0.5, 0.0, 0.1, {}, clip=100.0).scale(gradients) == 1.0


def test_the_finite_difference_of_a_clipped_step_on_the_toy():
    """Of L_train = (w - a)^2 and L_val = a w - 2 a + 1 at a = 2, w = -2: norms 8 and 2, both clipped to 1."""
    weights = {"w": torch.tensor(-2.0, dtype=torch.float64, requires_grad=True)}
    rows = [torch.tensor(2.0, dtype=torch.float64, requires_grad=True)]
    step = VirtualStep(0.1, 0.0, 0.0, {}, clip=1.0)
    loss = finite_difference(
        lambda w, a: (w["w"] - a[0]) ** 2, lambda w, a: a[0] * w["w"] - 2 * a[0] + 1, weights, rows, step, 0.01
    )
    (gradient,) = torch.autograd.grad(loss, rows)
    ahead = -2 + 0.1 * 1.0  # along the clipped gradient
    assert gradient.item() == pytest.approx((ahead - 2) - 0.1 * (1 / 8) * (-2 * 1.0), rel=1e-5)
