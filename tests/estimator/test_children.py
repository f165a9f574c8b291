"""Validation curves, and children that go on from earlier trials or take over their weights."""

from dataclasses import replace

import pytest
import torch

from nasctl.config.build import make
from nasctl.core import Candidate, EstimatorContext
from nasctl.errors import RequestError, StateError
from tests.small import CPU, Problem, same, through_a_file

STEPS = 3  # of an epoch: 72 images in batches of 32


class Memory:
    """Keeps states as files would."""

    wanted = True

    def __init__(self):
        self.states, self.retained = {}, None

    def save(self, index, state):
        self.states[index] = through_a_file(state)

    def load(self, index):
        return self.states[index]

    def retain(self, indexes):
        self.retained = set(indexes)


def problem_of(*overrides):
    return Problem("estimator.epochs=3", *overrides, estimator="from_scratch")


def estimator_of(problem, children=None, space=None):
    context = EstimatorContext(space or problem.space, problem.data, CPU, 0, lambda values: None, children)
    return make(problem.config["estimator"], context)


def test_without_a_setting_it_validates_once_and_has_no_curve():
    problem = problem_of()
    evaluation = problem.estimator().evaluate(Candidate(problem.arch(0)), 0)
    assert evaluation.curve == () and [entry[0] for entry in problem.data.log].count("val") == STEPS


def test_a_curve_costs_its_validations_and_changes_no_weight():
    problem, each = problem_of(), problem_of("estimator.validate_every=2")
    plain, curved = (p.estimator().evaluate(Candidate(p.arch(0)), 0) for p in (problem, each))
    assert curved.metrics == plain.metrics and [line["epoch"] for line in curved.curve] == [2, 3]
    macs = problem.space.count(problem.space.build(problem.space.genotype(problem.arch(0)), "final").to("meta"))["macs"]
    assert curved.work - plain.work == macs * len(problem.data.val())


@pytest.mark.parametrize(("settings", "place"), [(("report=best",), 0), (("report=best", "report_of=2"), 1)])
def test_the_best_of_the_last_validations_is_reported(settings, place, monkeypatch):
    problem = problem_of("estimator.validate_every=1", *(f"estimator.{setting}" for setting in settings))
    estimator, errors = problem.estimator(), iter([5.0, 10.0, 15.0])
    monkeypatch.setattr(estimator.course.trainer, "evaluate", lambda *_: {"error": next(errors), "loss": 1.0})
    evaluation = estimator.evaluate(Candidate(problem.arch(0)), 0)
    assert evaluation.metrics == {"error": [5.0, 10.0, 15.0][place], "loss": 1.0}


def test_a_mean_is_of_each_metric(monkeypatch):
    problem = problem_of("estimator.validate_every=1", "estimator.report=mean", "estimator.report_of=2")
    estimator, losses = problem.estimator(), iter([9.0, 2.0, 1.0])
    monkeypatch.setattr(estimator.course.trainer, "evaluate", lambda *_: {"loss": next(losses)})
    assert estimator.evaluate(Candidate(problem.arch(0)), 0).metrics == {"loss": 1.5}


def test_a_report_without_validations_is_refused():
    with pytest.raises(RequestError, match=r"estimator.report=best chooses among validations"):
        problem_of("estimator.report=best").estimator()


def test_a_continued_child_ends_as_a_whole_one_and_costs_the_rest():
    problem, kept = problem_of("trainer.drop_path=0.3", "estimator.validate_every=1"), Memory()
    estimator, arch = estimator_of(problem, kept), problem.arch(0)
    first = estimator.evaluate(Candidate(arch, fidelity=0.34), 0)
    second = estimator.evaluate(Candidate(arch, continues=0), 4)
    whole = estimator_of(problem, Memory()).evaluate(Candidate(arch), 0)
    assert second.metrics == whole.metrics and second.curve == whole.curve and first.curve == whole.curve[:1]
    assert first.work + second.work == whole.work
    assert kept.states[4]["first"] == 0 and kept.states[4]["epochs"] == 3


@pytest.mark.parametrize(
    ("candidate", "sentence"),
    [
        (
            lambda arch, other: Candidate(other, continues=0),
            "continues trial 0, which is of another architecture",
        ),
        (lambda arch, other: Candidate(arch, continues=0, fidelity=0.3), "has 2 of 3 epochs behind it, up to epoch 1"),
    ],
)
def test_what_cannot_be_continued_is_refused(candidate, sentence):
    problem = problem_of()
    estimator = estimator_of(problem, Memory())
    estimator.evaluate(Candidate(problem.arch(0), fidelity=0.7), 0)
    with pytest.raises(RequestError, match=sentence):
        estimator.evaluate(candidate(problem.arch(0), problem.arch(1)), 4)


@pytest.mark.parametrize("change", [{"epochs": "x"}, {"weights": {"a": 1}}, {"curve": [{}]}, {"more": 1}])
def test_a_state_of_another_kind_is_refused(change):
    problem, kept = problem_of(), Memory()
    estimator = estimator_of(problem, kept)
    estimator.evaluate(Candidate(problem.arch(0), fidelity=0.3), 0)
    kept.states[0] |= change
    with pytest.raises(StateError, match=r"children/0.pt holds no state of a child"):
        estimator.evaluate(Candidate(problem.arch(0), continues=0), 1)


def test_an_heir_starts_from_its_parents_weights_with_a_seed_of_its_own():
    problem, kept = problem_of("trainer.lr=1e-12", "trainer.weight_decay=0"), Memory()  # weights all but stand
    estimator, arch = estimator_of(problem, kept), problem.arch(0)
    estimator.evaluate(Candidate(arch), 0)
    facts = [
        estimator.evaluate(Candidate(one, inherits=0), 1 + i).facts for i, one in enumerate((arch, problem.arch(1)))
    ]
    parent, heir = (kept.states[index]["weights"] for index in (0, 1))
    torch.testing.assert_close(heir["classifier.weight"], parent["classifier.weight"])
    assert facts[0] == {"inherited_tensors": len(parent)} and 0 < facts[1]["inherited_tensors"] < len(parent)
    assert kept.states[1]["first"] == 1 and not same(kept.states[1]["training"], kept.states[0]["training"])


def test_a_space_that_preserves_functions_hands_weights_down_itself():
    problem, kept, asked = problem_of("estimator.epochs=1"), Memory(), []

    class Preserving(type(problem.space)):
        def inherit(self, network, genotype, parent_genotype, parent_weights, generator):
            asked.append((genotype, parent_genotype, parent_weights.keys(), generator.initial_seed()))
            return 7

    problem.space.__class__ = Preserving
    estimator = estimator_of(problem, kept)
    estimator.evaluate(Candidate(problem.arch(0)), 0)
    assert estimator.evaluate(Candidate(problem.arch(1), inherits=0), 1).facts == {"inherited_tensors": 7}
    genotypes = tuple(problem.space.genotype(problem.arch(seed)) for seed in (1, 0))
    assert [entry[:2] for entry in asked] == [genotypes] and asked[0][2] == kept.states[0]["weights"].keys()


def test_states_are_kept_only_where_they_are_wanted():
    kept = Memory()
    kept.wanted = False
    problem, keeping = problem_of("estimator.epochs=1"), problem_of("estimator.epochs=1", "estimator.keep_states=true")
    estimator_of(problem, kept).evaluate(Candidate(problem.arch(0)), 0)
    assert kept.states == {}
    with pytest.raises(RequestError, match=r"names trial 0, but no states .* set estimator.keep_states=true"):
        estimator_of(problem, kept).evaluate(replace(Candidate(problem.arch(0)), continues=0), 1)
    estimator = estimator_of(keeping, kept)
    estimator.evaluate(Candidate(problem.arch(0)), 0)
    estimator.retain(())
    assert kept.states.keys() == {0} and kept.retained is None
