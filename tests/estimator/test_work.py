"""Deterministic work: the MACs of what ran, by the convention that a backward pass costs two forward ones."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasctl.core import Candidate
from nasctl.errors import TrialError
from nasctl.estimator import _work
from nasctl.estimator._work import COMPARED, KEPT, Counter, MacCounter, PathMacCounter
from nasctl.space.nasbench201 import Form, NasBench201
from tests.small import Problem, relaxed, through_a_file

IMAGES = 72  # of either half, in batches of 32, 32 and 8


def macs_of(problem, arch, form="search", **size):
    """Return the MACs of one example through an architecture's own network."""
    with torch.device("meta"):
        network = problem.space.build(problem.space.genotype(arch), form, **size)
    return problem.space.count(network)["macs"]


def macs_of_mixture(problem):
    """Return the MACs of one example through the whole supernet, counted by another tool."""
    estimator, x = problem.estimator(), torch.zeros(1, *problem.space.task.input_shape)
    with FlopCounterMode(display=False) as counter:
        estimator.net.train()(x, relaxed(problem, 1))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        (nn.Conv2d(3, 8, 3, padding=1), (2, 3, 5, 5), 2 * 5 * 5 * 8 * 27),
        (nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8), (2, 8, 5, 5), 2 * 3 * 3 * 8 * 9),
        (nn.Linear(7, 4), (2, 7), 2 * 7 * 4),
        (nn.BatchNorm2d(3), (2, 3, 5, 5), 0),
        (nn.ReLU(), (2, 3), 0),
    ],
)
def test_convolutions_and_matrix_products_count(layer, shape, macs):
    with Counter() as counter:
        layer(torch.zeros(shape))
    assert counter.macs == macs


def test_a_path_is_counted_once_and_gives_what_it_gives_uncounted():
    meter, layer, x = MacCounter(), nn.Linear(7, 4), torch.randn(3, 7)
    first, again = (meter.run("a", lambda: layer(x), 3) for _ in range(2))
    assert torch.equal(first, layer(x)) and torch.equal(again, first) and first.requires_grad
    assert meter.macs("a") == 28
    meter.run("a", lambda: nn.Linear(7, 100)(x), 3)
    assert meter.macs("a") == 28
    for path in range(KEPT):
        meter.run(path, lambda: layer(x), 3)
    assert len(meter.known) <= KEPT


def test_paths_of_layers_are_counted_by_layers_once_that_has_agreed(monkeypatch):
    meter, x = PathMacCounter(), torch.randn(2, 4, 6, 6)
    layers = [nn.Conv2d(4, 8, 3, 2, 1), nn.Conv2d(4, 4, 5, groups=4), nn.Sequential(nn.Flatten(), nn.Linear(144, 3))]
    macs = [9 * 8 * 36, 4 * 4 * 25, 144 * 3]
    for path in range(COMPARED):
        meter.run(path, lambda layer=layers[path % 3]: layer(x), 2)
    monkeypatch.setattr(_work.Counter, "__torch_dispatch__", lambda *_: pytest.fail("counted in full"))
    for path, layer in enumerate(layers, start=COMPARED):
        meter.run(path, lambda layer=layer: layer(x), 2)
    assert [meter.macs(path) for path in meter.known] == macs + macs


def test_paths_that_call_functions_are_always_counted_in_full():
    meter, layer, x = PathMacCounter(), nn.Linear(7, 4), torch.randn(3, 7)
    for path in range(2 * COMPARED):
        meter.run(path, lambda: nn.functional.linear(layer(x), layer.weight.T), 3)
    assert set(meter.known.values()) == {56}


@pytest.mark.parametrize("space", ["darts", "nasbench201"])
def test_a_picked_path_costs_its_own_network(space):
    problem = Problem("budget.epochs=2", "estimator.val_batches=null")
    bias = 0
    if space == "nasbench201":
        form = Form(channels=4, cells=1, affine=True)
        problem.space = NasBench201(problem.space.task, search=form, final=form)
        bias = problem.space.task.num_outputs  # counted by the benchmark's convention, and not as work
    estimator = problem.estimator()
    for arch in map(problem.arch, range(COMPARED + 2)):
        assert estimator.evaluate(Candidate(arch), 0).work == IMAGES * (macs_of(problem, arch) - bias)


def test_a_weight_step_costs_three_forward_passes_of_what_it_trains():
    problem = Problem("budget.epochs=2")
    estimator, macs = problem.estimator(), macs_of(problem, problem.arch(1))
    estimator.evaluate(Candidate(problem.arch(0)), 0)
    before = estimator.work
    estimator.fit(lambda: Candidate(problem.arch(1)))
    assert estimator.work - before == 3 * 32 * macs
    estimator.evaluate(Candidate(problem.arch(0)), 0)
    before = estimator.work
    estimator.fit(lambda: relaxed(problem, 2))
    assert estimator.work - before == 3 * 32 * macs_of_mixture(problem)


def test_an_active_option_costs_its_own_path():
    problem = Problem("budget.epochs=2")
    estimator, arch = problem.estimator(), problem.arch(4)
    evaluation = estimator.evaluate(Candidate(arch, problem.rows(0), problem.space.relaxed_path(arch)), 0)
    assert evaluation.work == 3 * 32 * macs_of(problem, arch)


@pytest.mark.parametrize(
    ("unroll", "training", "validation"), [("first_order", 0, 3), ("finite_difference", 9, 3), ("exact", 9, 3)]
)
def test_an_architecture_step_costs_the_passes_of_its_unroll(unroll, training, validation):
    problem = Problem("budget.epochs=2", f"estimator/unroll={unroll}")
    estimator = problem.estimator()
    for examples in (32, 32, 8):  # a training and a validation batch of as many
        evaluation = estimator.evaluate(relaxed(problem, 1), 0)
        assert evaluation.work == (training + validation) * examples * macs_of_mixture(problem)
        estimator.fit(lambda: relaxed(problem, 1))


@pytest.mark.parametrize(("unroll", "least"), [("first_order", 0.4), ("finite_difference", 0.6), ("exact", 0.7)])
def test_the_convention_is_an_upper_bound_of_what_the_device_does(unroll, least):
    problem = Problem("budget.epochs=2", f"estimator/unroll={unroll}")
    estimator, candidate = problem.estimator(), relaxed(problem, 1)
    with Counter() as device:
        evaluation = estimator.evaluate(candidate, 0)
        torch.autograd.grad(evaluation.loss, candidate.weights)
    assert least <= device.macs / evaluation.work <= 1


def test_work_survives_a_checkpoint_and_depends_on_no_other_run():
    problem = Problem("budget.epochs=2", "estimator.schedule.warmup_epochs=1")
    whole, first, second = (problem.estimator() for _ in range(3))
    for arch in (0, 1):
        whole.fit(lambda arch=arch: Candidate(problem.arch(arch)))
        whole.evaluate(Candidate(problem.arch(arch)), arch)
    first.fit(lambda: Candidate(problem.arch(0)))
    first.evaluate(Candidate(problem.arch(0)), 0)
    second.load_state_dict(through_a_file(first.state_dict()))
    second.fit(lambda: Candidate(problem.arch(1)))
    second.evaluate(Candidate(problem.arch(1)), 1)
    assert second.work == whole.work > first.work > 0


def test_the_work_of_an_evaluation_depends_on_no_other():
    problem = Problem(estimator="from_scratch")
    one, other = problem.estimator(), problem.estimator()
    one.evaluate(Candidate(problem.arch(0)), 0)
    works = [estimator.evaluate(Candidate(problem.arch(1)), 1).work for estimator in (one, other)]
    assert works[0] == works[1] > 0


@pytest.mark.parametrize("fidelity, epochs", [(None, 4), (0.5, 2)])
def test_a_short_training_costs_its_epochs_and_its_validation(fidelity, epochs):
    problem = Problem("estimator.epochs=4", "+estimator.size={channels:2}", estimator="from_scratch")
    estimator, arch = problem.estimator(), problem.arch(0)
    evaluation = estimator.evaluate(Candidate(arch, fidelity=fidelity), 0)
    assert evaluation.work == IMAGES * (3 * epochs + 1) * macs_of(problem, arch, "final", channels=2)


@pytest.mark.parametrize(
    ("overrides", "passes"),
    [
        (("estimator.epochs=4",), 3),  # it diverges in the first epoch
        (("estimator.epochs=1", "trainer.batch_size=72"), 3 + 1),  # and here in the validation
    ],
)
def test_a_training_that_diverges_costs_what_it_ran(overrides, passes):
    problem = Problem(*overrides, "trainer.lr=1e30", estimator="from_scratch")
    estimator, arch = problem.estimator(), problem.arch(0)
    with pytest.raises(TrialError) as failed:
        estimator.evaluate(Candidate(arch), 0)
    assert failed.value.work == IMAGES * passes * macs_of(problem, arch, "final")
