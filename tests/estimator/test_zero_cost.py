"""Scores without training: against values worked out by hand, and what each of them reads and repeats."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from nasctl.core import Candidate
from nasctl.errors import RequestError, TrialError
from nasctl.estimator.score import naswot as of_naswot
from nasctl.estimator.score.grad_norm import gradient_norm
from nasctl.estimator.score.naswot import agreements, naswot
from nasctl.estimator.score.synflow import synflow
from tests.small import CPU, Problem

NAMES = ("params", "macs", "naswot", "synflow", "grad_norm")


def linear(*weight, bias=None):
    layer = nn.Linear(len(weight[0]), len(weight), bias=bias is not None)
    layer.weight.data = torch.tensor(weight, dtype=torch.float32)
    if bias is not None:
        layer.bias.data = torch.tensor(bias, dtype=torch.float32)
    return layer


def test_synflow_of_two_linear_layers_is_twice_the_sum_over_paths():
    first, second = linear((1.0, -2.0), (3.0, 0.5)), linear((-4.0, 1.0))
    paths = (1 + 2) * 4 + (3 + 0.5) * 1  # |w2| |w1| over all paths from an input of ones; each layer sees them all
    assert synflow(nn.Sequential(first, second), (2,), CPU) == pytest.approx(2 * paths)


def test_synflow_leaves_norms_out_and_counts_no_bias():
    net = nn.Sequential(
        linear((1.0, -2.0), (3.0, 0.5), bias=(7.0, 0.0)), nn.BatchNorm1d(2), nn.ReLU(), linear((-4.0, 1.0))
    )
    net[1].weight.data.fill_(100.0)
    through_first, through_second = 3 * 4 + 3.5, (3 + 7) * 4 + 3.5  # the bias flows through the second layer alone
    assert synflow(net, (2,), CPU) == pytest.approx(through_first + through_second)


def test_synflow_of_a_convolution_counts_every_position():
    net = nn.Sequential(nn.Conv2d(1, 1, 2, bias=False), nn.Flatten(), linear((1.0, -1.0, 1.0, 1.0)))
    net[0].weight.data = torch.tensor([[[[1.0, -2.0], [0.5, 0.5]]]])
    assert synflow(net, (1, 3, 3), CPU) == pytest.approx(2 * 4 * 4.0)  # two layers, four positions, |w| of 4


def test_synflow_has_the_range_of_double_precision():
    layers = [linear((1e10,)) for _ in range(10)]
    assert synflow(nn.Sequential(*layers), (1,), CPU) == pytest.approx(10 * 1e100)


def hamming_kernel(codes):
    """Return N - (number of units in which two rows differ), counted unit by unit."""
    return torch.tensor(
        [[float(sum(a == b for a, b in zip(one, other, strict=True))) for other in codes] for one in codes],
        dtype=torch.float64,
    )


def test_agreements_count_the_units_that_are_active_or_silent_in_both():
    activations = torch.tensor([[0.0, 2.0, 0.1, 0.0], [1.0, 3.0, 0.0, 0.0], [0.0, 2.0, 0.1, 0.0]])
    assert torch.equal(agreements(activations).double(), hamming_kernel([(0, 1, 1, 0), (1, 1, 0, 0), (0, 1, 1, 0)]))
    assert torch.equal(agreements(activations.view(3, 2, 1, 2)), agreements(activations))


def test_naswot_is_the_log_determinant_of_the_agreements_over_all_layers():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 9), nn.ReLU(), nn.Linear(9, 2))
    x = torch.randn(4, 3)
    first = net[1](net[0](x))
    codes = torch.cat([first > 0, net[3](net[2](first)) > 0], dim=1).int().tolist()
    assert len({tuple(code) for code in codes}) == 4
    expected = float(torch.logdet(hamming_kernel(codes)))
    assert naswot(net, x) == pytest.approx(expected, rel=1e-12)


class Forked(nn.Module):
    """Two branches of which the output uses one."""

    def __init__(self, dead):
        super().__init__()
        self.dead, self.live, self.out = dead, nn.Sequential(nn.Linear(3, 6), nn.ReLU()), nn.Linear(6, 2)

    def forward(self, x):
        self.dead(x)
        return self.out(self.live(x))


def test_naswot_leaves_out_units_that_the_output_does_not_depend_on():
    torch.manual_seed(0)
    forked = Forked(nn.Sequential(nn.Linear(3, 50), nn.ReLU()))
    x = torch.randn(4, 3)
    assert naswot(forked, x) == naswot(nn.Sequential(forked.live, forked.out), x)


def test_naswot_of_examples_that_look_alike_is_minus_infinity():
    net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))
    assert naswot(net, torch.ones(3, 3)) == -math.inf


def test_naswot_needs_relu_units():
    with pytest.raises(RequestError, match="naswot counts ReLU units, but the network has none; choose another score"):
        naswot(nn.Linear(3, 2), torch.ones(2, 3))


def test_gradient_norm_is_the_sum_of_the_layers_norms():
    net = nn.Sequential(linear((1.0, 2.0), bias=(0.5,)), linear((3.0,)))
    x, y = torch.tensor([[1.0, -1.0]]), torch.tensor([0.0])
    # output 3 (1 - 2 + .5) = -1.5, d loss / d output = -3; first layer: -3 * 3 * x, second: -3 * (-.5)
    expected = 9 * math.sqrt(2) + 1.5
    assert gradient_norm(net, x, y, lambda out, y: (out[:, 0] - y).square().mean()) == pytest.approx(expected)


def test_gradient_norm_is_taken_of_the_mean_loss_with_the_statistics_of_the_batch():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    x, y = torch.randn(8, 3), torch.randint(2, (8,))
    net.eval()
    found = gradient_norm(net, x, y, cross_entropy)
    net.train().zero_grad()
    weights = [net[0].weight, net[3].weight]
    expected = torch.autograd.grad(cross_entropy(net(x), y), weights)
    assert found == pytest.approx(float(sum(g.norm() for g in expected)), rel=1e-6)


def estimator_of(name, *overrides, seed=0):
    problem = Problem(f"estimator/score={name}", *overrides, estimator="zero_cost")
    return problem, problem.estimator(seed=seed)


def score(estimator, arch):
    evaluation = estimator.evaluate(Candidate(arch), 0)
    assert set(evaluation.metrics) == {"score"} and evaluation.loss is None
    return evaluation.metrics["score"]


@pytest.mark.parametrize("name", ["params", "macs"])
@pytest.mark.parametrize("size, overrides", [({}, []), ({"channels": 2}, ["+estimator.size={channels:2}"])])
def test_sizes_are_those_of_the_form_search_resized(name, size, overrides):
    problem, estimator = estimator_of(name, *overrides, "space.final.channels=16")
    arch = problem.arch(4)
    with torch.device("meta"):
        network = problem.space.build(problem.space.genotype(arch), "search", **size)
    assert score(estimator, arch) == problem.space.count(network)[name] > 0


@pytest.mark.parametrize("name, reads", [(name, name in ("naswot", "grad_norm")) for name in NAMES])
def test_only_the_scores_that_need_images_read_a_batch_and_only_once(name, reads):
    problem, estimator = estimator_of(name)
    for seed in (0, 1, 0):
        score(estimator, problem.arch(seed))
    assert problem.data.log == [("train", 0, 0)] * reads
    assert bool(estimator.fingerprint()) == reads


@pytest.mark.parametrize("name", NAMES)
def test_a_score_depends_on_the_architecture_and_the_seed_alone(name):
    problem, estimator = estimator_of(name)
    first, other = score(estimator, problem.arch(0)), score(estimator, problem.arch(2))
    torch.manual_seed(77)
    assert score(estimator, problem.arch(0)) == first != other
    reseeded = score(estimator_of(name, seed=5)[1], problem.arch(0))
    assert (reseeded == first) == (name in ("params", "macs"))


@pytest.mark.parametrize("name", ["naswot", "synflow", "grad_norm"])
def test_the_network_is_the_form_search(name):
    problem, estimator = estimator_of(name)
    torch.manual_seed(0)
    built, build = [], problem.space.build
    problem.space.build = lambda genotype, form, **size: built.append(form) or build(genotype, form, **size)
    score(estimator, problem.arch(1))
    assert built == ["search"]


def test_a_score_that_is_no_number_fails_the_trial(monkeypatch):
    problem, estimator = estimator_of("naswot")
    monkeypatch.setattr(of_naswot, "naswot", lambda network, inputs: -math.inf)
    with pytest.raises(TrialError, match=r"estimator/score=naswot is -inf; choose another score, batch_size or size"):
        estimator.evaluate(Candidate(problem.arch(0)), 0)


@pytest.mark.parametrize("score", ["naswot", "synflow", "grad_norm"])
def test_scores_that_run_a_network_do_not_take_text(score):
    text = Problem(estimator="language")
    images = Problem(f"estimator/score={score}", estimator="zero_cost")
    with pytest.raises(RequestError) as error:
        images.estimator(text.data)
    assert str(error.value) == (
        f"estimator/score={score} scores no networks of other data, but the data set's task is language; choose a data "
        "set of images or a data set of rows, such as dataset=breast_cancer, or estimator/score=params or macs, or "
        "estimator=from_scratch"
    )
