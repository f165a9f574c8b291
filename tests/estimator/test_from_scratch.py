"""Short trainings: what is trained for how long, on what, and what happens to a candidate that fails."""

from dataclasses import replace

import pytest
import torch

from nasctl.core import Candidate, WeightSharing
from nasctl.errors import TrialError
from tests.small import Problem

STEPS = 3  # of an epoch: 72 images in batches of 32


def problem_of(*overrides):
    return Problem(*overrides, estimator="from_scratch")


def steps_of(log, split):
    return [entry[1:] for entry in log if entry[0] == split]


def test_it_trains_on_one_half_and_scores_all_of_the_other():
    problem = problem_of()
    problem.estimator().evaluate(Candidate(problem.arch(0)), 0)
    assert problem.data.log == [(split, 0, step) for split in ("train", "val") for step in range(STEPS)]


@pytest.mark.parametrize("fidelity, trained", [(None, 4), (1.0, 4), (0.5, 2), (0.01, 1)])
def test_fidelity_is_a_share_of_the_epochs(fidelity, trained):
    problem = problem_of("estimator.epochs=4")
    problem.estimator().evaluate(Candidate(problem.arch(0), fidelity=fidelity), 0)
    assert steps_of(problem.data.log, "train") == [(e, s) for e in range(trained) for s in range(STEPS)]


def test_the_trainers_own_epochs_are_those_of_a_retrain():
    problem = problem_of("trainer.epochs=600", "estimator.epochs=1")
    problem.estimator().evaluate(Candidate(problem.arch(0)), 0)
    assert len(steps_of(problem.data.log, "train")) == STEPS


@pytest.mark.parametrize("form", ["search", "final"])
def test_it_builds_the_form_resized(form):
    problem = problem_of(f"estimator.form={form}", "+estimator.size={channels:2}")
    built, build = [], problem.space.build
    problem.space.build = lambda genotype, *form, **size: (
        built.append((genotype, form, size)) or build(genotype, *form, **size)
    )
    problem.estimator().evaluate(Candidate(problem.arch(5)), 0)
    assert built == [(problem.space.genotype(problem.arch(5)), (form,), {"channels": 2})]


def test_equal_candidates_train_with_different_seeds():
    problem = problem_of()
    estimator = problem.estimator()
    first, second, again = (estimator.evaluate(Candidate(problem.arch(0)), index).metrics for index in (0, 1, 0))
    assert first["loss"] != second["loss"] and again == first  # a function of the index, in any order


def test_nothing_is_shared():
    problem = problem_of()
    estimator = problem.estimator()
    assert not isinstance(estimator, WeightSharing)
    estimator.evaluate(Candidate(problem.arch(0)), 0)
    assert estimator.state_dict() == {}


def test_the_pulse_names_the_candidate_and_hides_the_share_of_its_own_training():
    problem, seen = problem_of(), []
    estimator = problem.estimator(pulse=lambda values: seen.append(values))
    for index in range(2):
        estimator.evaluate(Candidate(problem.arch(0)), index)
    assert [values["phase"] for values in seen] == ["candidate 0"] * STEPS + ["candidate 1"] * STEPS
    assert {values["share"] for values in seen} == {None}


def test_a_loss_that_is_no_number_fails_the_trial_and_names_the_step():
    problem = problem_of("trainer.lr=1e30")
    estimator = problem.estimator()
    with pytest.raises(TrialError, match=r"training loss is (nan|inf) at step [12]; lower trainer.lr"):
        estimator.evaluate(Candidate(problem.arch(0)), 0)


def test_weights_that_break_in_the_last_step_fail_the_trial_too():
    problem = problem_of("trainer.lr=1e30", "trainer.batch_size=72")  # one step, whose own loss is a number
    with pytest.raises(TrialError, match=r"loss is (nan|inf) after the last step; lower trainer.lr"):
        problem.estimator().evaluate(Candidate(problem.arch(0)), 0)


def test_an_error_of_another_kind_is_no_failed_trial():
    problem = problem_of()
    estimator = problem.estimator()

    class Broken:
        def fit(self, *args, **settings):
            raise ZeroDivisionError

    estimator.course = replace(estimator.course, trainer=Broken())
    with pytest.raises(ZeroDivisionError):
        estimator.evaluate(Candidate(problem.arch(0)), 0)


def test_evaluation_leaves_no_gradients_behind():
    problem, networks = problem_of(), []
    build = problem.space.build
    problem.space.build = lambda *args, **size: networks.append(build(*args, **size)) or networks[-1]
    evaluation = problem.estimator().evaluate(Candidate(problem.arch(0)), 0)
    assert evaluation.loss is None and not networks[0].training
    assert not any(isinstance(value, torch.Tensor) for value in evaluation.metrics.values())
