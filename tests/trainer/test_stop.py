"""A training that stops before its schedule ends, and goes on from its state, equals one that never stopped."""

import pytest
import torch

from nasctl.errors import RequestError, StateError
from tests.small import Problem, same, session, through_a_file
from tests.trainer.test_language_model import AVERAGING, text

CLASSIFIER = ("trainer.drop_path=0.3", "trainer.lr=0.3")
RECIPES = {
    "averages": lambda: Problem(*CLASSIFIER, "trainer.ema_decay=0.5", "trainer.schedule.warmup=0.4"),
    "best": lambda: Problem(*CLASSIFIER, "trainer.held_out=0.2", "trainer.keep=best", "trainer.schedule.by=step"),
    "bf16": lambda: Problem(*CLASSIFIER, "trainer.precision=bf16"),
    "text": lambda: text(*AVERAGING, "trainer.lr=50", "trainer/schedule=cosine"),
}


def fit(problem, network, **settings):
    """Train on the schedule of three epochs; return which weights were kept, and the state after the last step."""
    states, trainer = [], problem.trainer()
    trained = trainer.fit(
        network, problem.data, problem.data.train(),
        session(
            tick=lambda state, values: states.append(through_a_file(state())), schedule_epochs=3,
            choose_by=problem.data.val() if trainer.held_out else None, **settings,
        ),
    )  # fmt: skip
    return trained, states[-1]


@pytest.mark.parametrize("recipe", RECIPES)
def test_one_epoch_and_two_more_are_three(recipe):
    problem = RECIPES[recipe]()
    whole, parts, rest = (problem.network(seed) for seed in (0, 0, 9))
    trained, end = fit(problem, whole)
    stopped, state = fit(problem, parts, stop_epoch=1)
    assert not same(state["model"], end["model"]) and stopped.epoch == 0
    torch.manual_seed(5)
    again, after = fit(problem, rest, state=state)
    assert same(rest.state_dict(), whole.state_dict()) and same(after, end)
    assert same(dict(again.others), dict(trained.others)) and again.record() == trained.record()


@pytest.mark.parametrize("stop", [0, 4])
def test_a_training_stops_within_its_schedule(stop):
    with pytest.raises(RequestError, match=rf"stop_epoch \({stop}\) must be in 1 to schedule_epochs \(3\)"):
        fit(Problem(), Problem().network(), stop_epoch=stop)


def test_a_state_beyond_the_stop_is_refused():
    problem = Problem()
    _, state = fit(problem, problem.network(), stop_epoch=2)
    with pytest.raises(StateError):
        fit(problem, problem.network(), stop_epoch=1, state=state)


def test_after_each_epoch_the_weights_that_would_be_kept_lie_in_the_network():
    problem, seen = Problem("trainer.ema_decay=0.5"), []
    network = problem.network()
    fit(problem, network, on_epoch=lambda epoch: seen.append((epoch, network.classifier.weight.clone())))
    assert [epoch for epoch, _ in seen] == [0, 1, 2]
    assert torch.equal(seen[2][1], network.classifier.weight) and not torch.equal(seen[1][1], seen[2][1])
