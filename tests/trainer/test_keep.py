"""Which weights a training keeps: the last, or those that did best on a held-out part."""

import pytest
import torch

from nasctl.trainer._training import Best
from tests.small import Problem, same, through_a_file


def fit(problem, *, state=None, tick=lambda state, values: None, choose_by="val"):
    """Train on the training half, choosing by another split; return network, what was kept, and the history."""
    network, lines = problem.network(), []
    trained = problem.trainer().fit(
        network, problem.data, problem.data.train(),
        seed=0, epochs=None, tick=tick, record=lines.append, state=state,
        choose_by=choose_by and getattr(problem.data, choose_by)(),
    )  # fmt: skip
    return network, trained, lines


@pytest.fixture(scope="module")
def problem():
    """A training whose best epoch on the held-out part is not its last: the rate is far too high."""
    return Problem("trainer.held_out=0.5", "trainer.keep=best", "trainer.lr=2", "trainer.epochs=5", "trainer.clip=100")


def scores(lines):
    return [(line["held_out_error"], line["held_out_loss"]) for line in lines]


def test_the_best_weights_are_those_of_the_epoch_with_the_lowest_held_out_error(problem):
    network, trained, lines = fit(problem)
    best = min(range(5), key=scores(lines).__getitem__)
    assert (trained.name, trained.epoch) == ("best", best) and best < 4
    again = problem.trainer().evaluate(network, problem.data, problem.data.val())
    assert (again["error"], again["loss"]) == scores(lines)[best]
    assert trained.record() == {"name": "best", "epoch": best, "averaged": False, "held_out": again}


def test_the_other_weights_are_kept_apart(problem):
    best, trained, lines = fit(problem)
    last, other, same_lines = fit(Problem(*LAST))
    assert lines == same_lines
    assert (other.name, other.epoch) == ("last", 4)
    assert (other.held_out["error"], other.held_out["loss"]) == scores(lines)[4]
    assert same(trained.others, {"last": last.state_dict()}) and same(other.others, {"best": best.state_dict()})
    assert not same(best.state_dict(), last.state_dict())


LAST = "trainer.held_out=0.5", "trainer.keep=last", "trainer.lr=2", "trainer.epochs=5", "trainer.clip=100"


def test_without_a_part_to_choose_by_the_last_weights_are_kept(problem):
    network, trained, lines = fit(problem, choose_by=None)
    assert (trained.name, trained.epoch, trained.others) == ("last", 4, {})
    assert same(network.state_dict(), fit(Problem(*LAST))[0].state_dict())
    assert not any(name.startswith("held_out") for line in lines for name in line)


def test_the_best_weights_survive_an_interruption_after_their_epoch(problem):
    states = []
    whole, trained, _ = fit(problem, tick=lambda state, values: states.append(through_a_file(state())))
    resumed, again, _ = fit(problem, state=states[-1])
    assert same(resumed.state_dict(), whole.state_dict())
    assert (again.name, again.epoch) == (trained.name, trained.epoch) and trained.epoch < 4


def test_averaged_weights_are_recorded_as_such():
    told = fit(Problem("trainer.ema_decay=0.5"), choose_by=None)[1].record()
    assert told == {"name": "last", "epoch": 1, "averaged": True}


def test_of_equal_errors_the_lower_loss_wins_and_of_equal_both_the_first():
    best, network = Best(), torch.nn.Linear(1, 1)
    for epoch, (error, loss) in enumerate([(10, 1.0), (10, 0.5), (10, 0.5), (20, 0.1)]):
        torch.nn.init.constant_(network.weight, epoch)
        best.offer({"error": error, "loss": loss}, epoch, network)
    assert best.epoch == 1 and best.weights is not None and best.weights["weight"].item() == 1
