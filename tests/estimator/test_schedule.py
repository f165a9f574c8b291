"""When weights are trained: a warm-up, then so many epochs after so many evaluations."""

import pytest
import torch

from nasctl.core import Candidate
from nasctl.estimator._schedule import Rounds, Schedule
from nasctl.search.budget import Budget
from nasctl.search.loop import Search
from tests.small import Problem, fit, rounds, same, serial, through_a_file

STEPS = 3  # of an epoch: 72 images in batches of 32


def trained(evaluations, **settings):
    """Return how many weight steps came before each of so many evaluations, and after the last."""
    rounds = {"warmup_epochs": 0, "fit_epochs": None, "fit_every": 1} | settings
    schedule = Schedule(STEPS, rounds.pop("epochs", None), Rounds(**rounds))
    found = []
    for _ in range(evaluations + 1):
        while schedule.due:
            schedule.stepped()
        found.append(schedule.position)
        schedule.evaluated()
    return found


@pytest.mark.parametrize(
    "settings, positions",
    [
        ({}, [0, 1, 2, 3, 4, 5, 6]),
        ({"epochs": 1}, [0, 1, 2, 3, 3, 3, 3]),
        ({"epochs": 2, "warmup_epochs": 1}, [3, 4, 5, 6, 6, 6, 6]),
        ({"epochs": 2, "warmup_epochs": 2}, [6, 6, 6, 6, 6, 6, 6]),  # all weights first
        ({"fit_every": 2}, [0, 0, 1, 1, 2, 2, 3]),
        ({"fit_epochs": 1, "fit_every": 3, "warmup_epochs": 1, "epochs": 9}, [3, 3, 3, 6, 6, 6, 9]),  # an epoch in turn
        ({"fit_epochs": 0.5, "fit_every": 2}, [0, 0, 2, 2, 4, 4, 6]),
        ({"fit_epochs": 2, "epochs": 3}, [0, 6, 9, 9, 9, 9, 9]),
        ({"epochs": 0.5}, [0, 1, 2, 2, 2, 2, 2]),
    ],
)
def test_so_many_steps_before_each_evaluation(settings, positions):
    assert trained(6, **settings) == positions


def test_each_evaluation_of_a_round_has_validation_batches_of_its_own():
    problem = Problem("budget.epochs=9", "estimator.schedule.fit_epochs=1", "estimator.schedule.fit_every=2")
    rounds(problem, problem.estimator(), [0, 2, 4, 6])
    read = [entry for entry in problem.data.log if entry[0] == "val"]
    assert read == [("val", 0, 0), ("val", 0, 1), ("val", 1, 0), ("val", 1, 1)]
    steps = [entry for entry in problem.data.log if entry[0] == "train"]
    assert steps == [("train", 0, 0), ("train", 0, 1), ("train", 0, 2)]  # those after the fourth are still to come


def test_what_is_shown_says_which_phase_it_is():
    problem = Problem("budget.epochs=9", "estimator.schedule.warmup_epochs=1", "estimator.schedule.fit_epochs=1")
    estimator = problem.estimator()
    first = fit(estimator, lambda: Candidate(problem.arch(0)))
    assert [values["phase"] for values in first] == ["warm-up"] * 2
    estimator.evaluate(Candidate(problem.arch(0)), 0)
    second = fit(estimator, lambda: Candidate(problem.arch(0)))
    assert [(values["phase"], round(values["epoch"], 2)) for values in second] == [("weights", 1.33), ("weights", 1.67)]


@pytest.mark.parametrize("done, steps", [(1, 1), (2, 2), (3, 0)])
def test_stopped_in_the_middle_of_a_long_fit_it_goes_on_bit_for_bit(done, steps):
    problem = Problem(
        "budget.epochs=4",
        "estimator.schedule.fit_epochs=1",
        "estimator.schedule.fit_every=2",
        "estimator/sampler=uniform",
    )
    whole = problem.estimator()
    expected = rounds(problem, whole, [0, 2, 4, 6, 8])
    first, second = problem.estimator(), problem.estimator()
    head = rounds(problem, first, [0, 2, 4, 6, 8][:done])
    for _ in range(steps):
        first.fit(lambda: pytest.fail("the sampler has its own"))
    second.load_state_dict(through_a_file(first.state_dict()))
    torch.manual_seed(12345)
    assert head + rounds(problem, second, [0, 2, 4, 6, 8][done:]) == expected
    assert same(second.state_dict(), whole.state_dict())


def searched(**limits):
    """Run a search whose every trial but the first waits for two epochs of weights; return its estimator and lines."""
    problem, lines = Problem("estimator.schedule.fit_epochs=2", "estimator/sampler=uniform"), []
    estimator, budget = problem.estimator(), Budget(**{"trials": None, "epochs": None} | limits)
    parts = (problem.space, problem.strategy(), estimator, serial(estimator), problem.reward(), budget)
    search = Search(*parts, lambda *line: lines.append(line), resources=(), record_every=1)
    search.run(lambda state, values: state())
    return estimator, lines


def test_a_budget_that_is_spent_within_a_fit_ends_it():
    one, [(_, first)] = searched(trials=1)
    assert one.schedule.position == 0  # what follows the last trial serves nothing
    spent, lines = searched(work=first["work"] + 1)
    assert spent.schedule.position == 1 and len(lines) == 1
    two, lines = searched(trials=2)
    assert two.schedule.position == 2 * STEPS and len(lines) == 2
