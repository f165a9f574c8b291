"""What every estimator of conf/estimator promises."""

import json

import pytest
import torch

from nasctl.config.settings import conf_dir
from nasctl.core import Candidate, LookUp, WeightSharing
from nasctl.search.feasible import Feasible
from tests.small import Problem, rounds, same, through_a_file

DECLARED = {"toy", "synthetic"}  # read nothing, and no seed changes them: tests/estimator/test_synthetic.py
OFFICIAL = {"nats_size_table"}  # a table again, of files that tests/estimator/test_nats_folder.py generates
ESTIMATORS = sorted({path.stem for path in (conf_dir() / "estimator").glob("*.yaml")} - DECLARED - OFFICIAL)


@pytest.mark.parametrize("before", [[], [7]])  # what the resumed instance did before, which must be gone
@pytest.mark.parametrize("name", ESTIMATORS)
def test_interrupted_and_resumed_equals_uninterrupted(name, before):
    problem = Problem("budget.epochs=2", estimator=name)
    whole = problem.estimator()
    expected = rounds(problem, whole, range(3))
    for done in (0, 2):
        first, second = problem.estimator(), problem.estimator()
        head = rounds(problem, first, range(done))
        rounds(problem, second, before)
        second.load_state_dict(through_a_file(first.state_dict()))
        torch.manual_seed(12345)
        assert head + rounds(problem, second, range(done, 3)) == expected
        assert same(second.state_dict(), whole.state_dict())
        assert not isinstance(whole, WeightSharing) or second.spent() == whole.spent()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_seed_decides(name):
    problem = Problem("budget.epochs=2", estimator=name)
    found = [rounds(problem, problem.estimator(seed=seed), range(1)) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_picked_path_is_scored_without_a_graph(name):
    problem = Problem("budget.epochs=2", estimator=name)
    evaluation = problem.estimator().evaluate(Candidate(problem.arch(0)), 0)
    assert evaluation.loss is None
    promised = {"zero-cost": {"score"}, "table (test)": {"error", "accuracy"}, "supernet_language": {"perplexity"}}
    kind = name if name in promised else problem.estimator().error_kind
    assert promised.get(kind, {"loss", "error", "accuracy"}) <= set(evaluation.metrics)
    assert all(isinstance(value, float | int) for value in evaluation.metrics.values())


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_fingerprint_names_what_is_read(name):
    problem = Problem("budget.epochs=2", estimator=name)
    estimator = problem.estimator()
    estimator.evaluate(Candidate(problem.arch(0)), 0)
    found = dict(estimator.fingerprint())
    assert ("data" in found) == bool(problem.data.log) and ("table" in found) == isinstance(estimator, LookUp)
    assert all(found.values()) and len(found["table" if isinstance(estimator, LookUp) else "data"]) == 64


@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_can_be_looked_up_says_so_and_all_is_covered(name):
    problem = Problem("budget.epochs=2", estimator=name)
    estimator = problem.estimator()
    assert isinstance(estimator, LookUp) == (name in ("table", "nasbench201_table"))
    assert isinstance(estimator, WeightSharing) == estimator.takes_relaxed == name.startswith("supernet")
    assert Feasible.of(problem.space, problem.constraint(), estimator).covers(problem.arch(0)) is True
    json.dumps(estimator.facts())
