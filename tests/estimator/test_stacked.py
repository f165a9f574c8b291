"""Networks trained side by side: each as it would be alone, whatever else was asked."""

import pytest
import torch
from torch import nn

from nasctl.core import Candidate
from nasctl.errors import RequestError, TrialError
from nasctl.estimator.stacked import clip_each
from nasctl.seeds import position_seed
from tests.small import Problem, same, session, through_a_file


@pytest.fixture
def problem():
    return Problem("budget.trials=1", estimator="stacked")


class Double:
    """A data set whose inputs are float64."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __getattr__(self, name):
        return getattr(self.dataset, name)

    def train(self):
        return DoubleSplit(self.dataset.train())

    def val(self):
        return DoubleSplit(self.dataset.val())


class DoubleSplit:
    def __init__(self, split):
        self.split = split

    def __len__(self):
        return len(self.split)

    def batch(self, size, epoch, step):
        x, y = self.split.batch(size, epoch, step)
        return x.double(), y


@pytest.mark.parametrize("changes", [(), ("trainer.clip=0.05", "trainer.momentum=0.5", "trainer.weight_decay=0.1")])
def test_each_network_is_trained_as_the_trainer_trains_it_alone(changes):
    problem = Problem(*changes, "trainer.nesterov=true", "trainer.epochs=3", estimator="stacked")
    problem.data = Double(problem.data)
    estimator, trainer = problem.estimator(seed=4), problem.trainer()
    build = problem.space.build
    problem.space.build = lambda genotype, form: build(genotype, form).double()
    for arch in [(0, 1, 2), (0, 2, 0), (2, 2, 2)]:
        torch.manual_seed(position_seed(4, "candidate", *arch))
        network = problem.space.build(problem.space.genotype(arch), "final")
        trainer.fit(network, problem.data, problem.data.train(), session())
        alone = trainer.evaluate(network, problem.data, problem.data.val())
        together = estimator.evaluate(Candidate(arch), 0).metrics
        assert {name: together[name] for name in alone} == pytest.approx(alone, rel=1e-9)


def test_costs_and_features_stand_beside_the_result(problem):
    metrics = problem.estimator().evaluate(Candidate((1, 1, 2)), 0).metrics
    genotype = problem.space.genotype((1, 1, 2))
    assert {name: metrics[name] for name in ("params", "macs", "bottlenecks")} == {
        "params": problem.space.cost(genotype, "params"),
        "macs": problem.space.cost(genotype, "macs"),
        "bottlenecks": 0,
    }


def test_what_was_asked_before_does_not_matter(problem):
    archs = [(2, 1, 0), (0, 0, 0), (1, 1, 1), (0, 0, 1)]
    first, second = problem.estimator(), problem.estimator()
    one = {arch: dict(first.evaluate(Candidate(arch), 0).metrics) for arch in archs}
    other = {arch: dict(second.evaluate(Candidate(arch), 0).metrics) for arch in reversed(archs)}
    assert one == other and len({metrics["loss"] for metrics in one.values()}) == 4


def test_blocks_cut_the_order_of_the_space_and_are_trained_once(problem, monkeypatch):
    estimator, blocks = problem.estimator(), []
    train = estimator._train
    monkeypatch.setattr(estimator, "_train", lambda block: blocks.append(block) or train(block))
    every = [(a, b, c) for a in range(3) for b in range(3) for c in range(3)]
    for arch in every:
        estimator.evaluate(Candidate(arch), 0)
    assert [len(block) for block in blocks] == [5, 5, 5, 5, 5, 2]
    assert [arch for block in blocks for arch in block] == every


def test_a_resumed_block_is_not_trained_again(problem, monkeypatch):
    first, second = problem.estimator(), problem.estimator()
    expected = [dict(first.evaluate(Candidate((0, 0, c)), 0).metrics) for c in range(3)]
    second.load_state_dict(through_a_file(first.state_dict()))
    monkeypatch.setattr(second, "_train", None)
    assert [dict(second.evaluate(Candidate((0, 0, c)), 0).metrics) for c in range(3)] == expected
    assert same(first.state_dict(), second.state_dict())


def test_work_is_that_of_the_networks_without_what_is_filled_up(problem):
    estimator = problem.estimator()
    evaluation = estimator.evaluate(Candidate((0, 0, 0)), 0)
    macs = sum(problem.space.cost(problem.space.genotype(arch), "macs") for arch in estimator.found)
    assert estimator.evaluate(Candidate((0, 0, 1)), 1).work == 0
    assert evaluation.work == macs * (3 * 2 * len(problem.data.train()) + len(problem.data.val()))


def test_a_network_that_diverges_fails_alone(problem):
    estimator = problem.estimator()
    estimator.evaluate(Candidate((0, 0, 0)), 0)
    estimator.found[(0, 0, 1)] = estimator.found[(0, 0, 1)] | {"loss": float("nan")}
    with pytest.raises(TrialError, match=r"loss is nan .* lower estimator\.lr"):
        estimator.evaluate(Candidate((0, 0, 1)), 0)
    assert estimator.evaluate(Candidate((0, 0, 2)), 0).metrics["loss"] > 0


def test_gradients_are_clipped_network_by_network():
    generator = torch.Generator().manual_seed(0)
    stack = [nn.Parameter(torch.zeros(3, 4, 5)), nn.Parameter(torch.zeros(3, 1, 2))]
    alone = [[nn.Parameter(torch.zeros(p.shape[1:])) for p in stack] for _ in range(3)]
    for j, p in enumerate(stack):
        p.grad = torch.randn(p.shape, generator=generator) * torch.tensor([0.1, 1.0, 10.0]).view(3, 1, 1)
        for i, network in enumerate(alone):
            network[j].grad = p.grad[i].clone()
    clip_each(stack, 2.0)
    for i, network in enumerate(alone):
        norm = nn.utils.clip_grad_norm_(network, 2.0)
        assert (norm > 2) == (i > 0)
        for j, p in enumerate(stack):
            torch.testing.assert_close(p.grad[i], network[j].grad)


def test_a_space_without_stacks_and_a_part_of_the_epochs_are_refused(problem):
    darts = Problem()
    with pytest.raises(RequestError, match=r"estimator=stacked trains .* family darts cannot be; choose"):
        darts.config["estimator"] = problem.config["estimator"]
        darts.estimator()
    with pytest.raises(RequestError, match="asks for a part of it"):
        problem.estimator().evaluate(Candidate((0, 0, 0), fidelity=0.5), 0)
