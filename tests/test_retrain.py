"""Retraining: the final form on all training data, and one look at the test split, at the end."""

import pytest
import torch

from nasctl.retrain import retrain
from nasctl.seeds import position_seed
from tests.small import CPU, Problem, SpySplit, same, session, through_a_file

STEPS = 5  # of an epoch: all 144 training images in batches of 32


def run(problem, **settings):
    """Retrain architecture 3; return the network, its metrics and the lines of its history."""
    network, _, metrics, lines = run_all(problem, **settings)
    return network, metrics, lines


def run_all(problem, *, seed=0, state=None, tick=lambda state, values: None):
    lines = []
    genotype = problem.space.genotype(problem.arch(3))
    network, trained, metrics = retrain(
        problem.space, genotype, problem.trainer(), problem.data, CPU,
        session(seed, tick, lines.append, state=state),
    )  # fmt: skip
    return network, trained, metrics, lines


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


@pytest.mark.parametrize("keep", ["last", "best"])
def test_a_held_out_part_is_chosen_by_and_the_test_split_is_used_once_at_the_end(keep):
    problem = Problem("trainer.held_out=0.25", f"trainer.keep={keep}", "trainer.epochs=3", "trainer.lr=1")
    network, trained, metrics, lines = run_all(problem)
    assert problem.data.log == ["test()", ("test", 0, 0), ("test", 0, 1)]  # the held-out parts are not spied on
    errors = [(line["held_out_error"], line["held_out_loss"]) for line in lines]
    assert trained.name == keep and trained.epoch == (2 if keep == "last" else errors.index(min(errors)))
    again = problem.trainer().evaluate(network, problem.data, problem.data.test())
    assert again == metrics


def test_what_is_held_out_is_not_trained_on():
    problem, shown = Problem("trainer.held_out=0.25", "dataset.augment.final.pad=0", "trainer.epochs=1"), []
    train, held_out = problem.data.held_out(0.25)
    asked = []
    problem.data.held_out = lambda share: asked.append(share) or (SpySplit(train, "kept", shown), held_out)
    run(problem)
    assert asked == [0.25]
    assert shown == [("kept", 0, step) for step in range(4)]  # 108 of 144 images in batches of 32
