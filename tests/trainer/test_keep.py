"""Which weights a training keeps: the last, or those that did best on a held-out part."""

import pytest
import torch

from nasctl.trainer._training import Best
from tests.small import Problem, same, session, through_a_file


def fit(problem, *, state=None, tick=lambda state, values: None, choose_by="val"):
    """Train on the training half, choosing by another split; return network, what was kept, and the history."""
    network, lines = problem.network(), []
    trained = problem.trainer().fit(
        network, problem.data, problem.data.train(),
        session(
            tick=tick, record=lines.append, state=state, choose_by=choose_by and getattr(problem.data, choose_by)()
        ),
    )  # fmt: skip
    return network, trained, lines


ERRORS = (50, 20, 30, 40, 45)
SETTINGS = "trainer.held_out=0.5", "trainer.epochs=5"


class Scored(Problem):
    """A training that is told its held-out errors, so that the best epoch is the second."""

    def trainer(self):
        trainer, errors = super().trainer(), iter(ERRORS)
        evaluate = trainer.evaluate
        trainer.evaluate = lambda *arguments: {**evaluate(*arguments), "error": next(errors)}
        return trainer


@pytest.fixture(scope="module")
def problem():
    return Scored("trainer.keep=best", *SETTINGS)


def test_the_best_weights_are_those_of_the_epoch_with_the_lowest_held_out_error(problem):
    states = []
    network, trained, lines = fit(problem, tick=lambda state, values: states.append(through_a_file(state())))
    assert [line["held_out_error"] for line in lines] == list(ERRORS)
    record = trained.record()
    assert record.pop("held_out")["error"] == 20 and record == {"name": "best", "epoch": 1, "averaged": False}
    ends = [state["model"] for state in states[len(states) // 5 - 1 :: len(states) // 5]]
    assert [same(network.state_dict(), end) for end in ends] == [False, True, False, False, False]


def test_the_other_weights_are_kept_apart(problem):
    best, trained, lines = fit(problem)
    last, other, same_lines = fit(Scored(*LAST))
    assert lines == same_lines
    assert (other.name, other.epoch) == ("last", 4)
    assert other.held_out["error"] == ERRORS[4]
    assert same(trained.others, {"last": last.state_dict()}) and same(other.others, {"best": best.state_dict()})
    assert not same(best.state_dict(), last.state_dict())


LAST = "trainer.keep=last", *SETTINGS


def test_without_a_part_to_choose_by_the_last_weights_are_kept(problem):
    network, trained, lines = fit(problem, choose_by=None)
    assert (trained.name, trained.epoch, trained.others) == ("last", 4, {})
    assert same(network.state_dict(), fit(Scored(*LAST))[0].state_dict())
    assert not any(name.startswith("held_out") for line in lines for name in line)


def test_the_best_weights_survive_an_interruption_after_their_epoch(problem):
    states = []
    whole, trained, _ = fit(problem, tick=lambda state, values: states.append(through_a_file(state())))
    resumed, again, _ = fit(problem, state=states[-1])
    assert same(resumed.state_dict(), whole.state_dict())
    assert (again.name, again.epoch) == (trained.name, trained.epoch) == ("best", 1)


def test_averaged_weights_are_recorded_as_such():
    told = fit(Problem("trainer.ema_decay=0.5"), choose_by=None)[1].record()
    assert told == {"name": "last", "epoch": 1, "averaged": True}


def test_of_equal_errors_the_lower_loss_wins_and_of_equal_both_the_first():
    best, network = Best(), torch.nn.Linear(1, 1)
    for epoch, (error, loss) in enumerate([(10, 1.0), (10, 0.5), (10, 0.5), (20, 0.1)]):
        torch.nn.init.constant_(network.weight, epoch)
        best.offer({"error": error, "loss": loss}, epoch, network)
    assert best.epoch == 1 and best.weights is not None and best.weights["weight"].item() == 1
