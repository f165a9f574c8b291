"""Retraining: the final form on all training data, and one look at the test split, at the end."""

import pytest
import torch

from nasctl.core import position_seed
from nasctl.retrain import retrain
from tests.small import CPU, Problem, same, through_a_file

STEPS = 5  # of an epoch: all 144 training images in batches of 32


def run(problem, *, seed=0, state=None, tick=lambda state, values: None):
    """Retrain architecture 3; return the network, its metrics and the lines of its history."""
    lines = []
    genotype = problem.space.genotype(problem.arch(3))
    network, _, metrics = retrain(
        problem.space, genotype, problem.trainer(), problem.data, CPU, seed,
        tick=tick, record=lines.append, state=state,
    )  # fmt: skip
    return network, metrics, lines


def test_it_trains_on_all_training_data_and_tests_once_at_the_end():
    problem = Problem()
    run(problem)
    training = [("full", epoch, step) for epoch in range(2) for step in range(STEPS)]
    assert problem.data.log == [*training, "test()", ("test", 0, 0), ("test", 0, 1)]


def test_the_metrics_are_of_the_whole_test_split_by_the_trained_network():
    problem = Problem()
    network, metrics, _ = run(problem)
    x, y = problem.data.test().batch(50, 0, 0)
    with torch.no_grad():
        right = (network.eval()(x).argmax(1) == y).float().mean().item()
    assert metrics["error"] == pytest.approx(100 - 100 * right)


def test_it_builds_the_final_form_from_the_seed():
    problem = Problem("trainer.lr=1e-12", "trainer.epochs=1", "trainer.weight_decay=0")  # weights all but stand
    network, _, _ = run(problem, seed=7)
    torch.manual_seed(position_seed(7, "network"))
    fresh = problem.space.build(problem.space.genotype(problem.arch(3)), "final")
    torch.testing.assert_close(dict(network.named_parameters()), dict(fresh.named_parameters()))


def test_the_seed_decides():
    problem = Problem("trainer.epochs=1")
    results = [run(problem, seed=seed)[1:] for seed in (0, 0, 1)]
    assert results[0] == results[1] != results[2]


def test_a_retrain_resumed_at_any_step_ends_as_one_never_interrupted():
    problem, states = Problem("trainer.drop_path=0.3", "dataset.limit_train=64"), []
    network, metrics, lines = run(problem, tick=lambda state, values: states.append(through_a_file(state())))
    for done, state in enumerate(states, start=1):
        torch.manual_seed(done)
        resumed, found, rest = run(problem, state=state)
        assert same(resumed.state_dict(), network.state_dict()) and found == metrics
        assert rest == lines[done // 2 :]
    assert len(states) == 4
