"""Bayesian optimisation: the acquisition against its integral, encodings, and gain over random search."""

from statistics import mean

import numpy as np
import pytest

from nasctl.core import Candidate, Trial
from tests.strategy.table import Growing, Limit, Table, play

NAME = "bayesian"


def told(tried, space, archs):
    for index, arch in enumerate(archs):
        tried.tell(space.trial(index, Candidate(arch)))
    return tried


def archs(space, count, seed=0):
    draw = np.random.default_rng(seed)
    sizes = [len(decision.options) for decision in space.decisions]
    return [tuple(int(draw.integers(size)) for size in sizes) for _ in range(count)]


def test_the_first_questions_are_random_ones(strategy, table):
    asked = [arch for arch, _ in play(strategy(NAME, table, initial=12), table, 12)[1::2]]
    drawn = [arch for arch, _ in play(strategy("random_search", table), table, 12)[1::2]]
    assert asked == drawn


def test_the_acquisition_is_the_expected_improvement(strategy, table):
    tried = told(strategy(NAME, table, exploration=0.1), table, archs(table, 30))
    candidates = archs(table, 6, seed=1)
    told_archs, rewards = tried._observed(30)
    process = tried._process(tried._kernel()).fit(tried._encoded(told_archs), rewards)
    means, deviations = process.predict(tried._encoded(candidates), return_std=True)
    draws = np.random.default_rng(0).standard_normal(200_000)
    expected = [
        np.maximum(m + s * draws - tried.best.reward - 0.1, 0).mean() for m, s in zip(means, deviations, strict=True)
    ]
    np.testing.assert_allclose(tried._improvement(candidates), expected, rtol=0.05, atol=2e-4)


def test_what_is_asked_has_the_largest_improvement_and_was_not_told(strategy, table):
    tried, twin = (told(strategy(NAME, table), table, archs(table, 40)) for _ in range(2))
    asked, candidates = tried.ask().arch, twin._candidates()
    assert asked == candidates[int(np.argmax(twin._improvement(candidates)))]
    assert not set(candidates) & set(archs(table, 40)) and len(candidates) > 20


def test_where_everything_was_told_it_asks_again(strategy):
    space = Table(length=2, width=2)
    tried = told(strategy(NAME, space, initial=2), space, [(0, 0), (0, 1), (1, 0), (1, 1)])
    assert tried.ask().arch in {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_an_architecture_is_encoded_by_its_options(strategy):
    tried = strategy(NAME, Growing())
    short, long = tried._encoded([(1, 3), (3, 0, 2, 1)]).tolist()
    assert short == [0, 1, 0, 0, 0, 0, 0, 1, *[0] * 8]
    assert long == [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0]


def test_the_model_predicts_an_additive_worth(strategy, table):
    tried = told(strategy(NAME, table), table, archs(table, 75))
    others = archs(table, 50, seed=2)
    told_archs, rewards = tried._observed(75)
    process = tried._process(tried._kernel()).fit(tried._encoded(told_archs), rewards)
    predicted = process.predict(tried._encoded(others))
    assert np.corrcoef(predicted, [table.worth(arch) for arch in others])[0, 1] > 0.95


@pytest.mark.slow
def test_it_beats_random_search_on_an_additive_table(strategy):
    def found(name, seed):
        table = Table(length=8, width=4, seed=seed)
        tried = strategy(name, table, seed)
        play(tried, table, 60)
        return table.worth(tried.derive())

    searched, drawn = ([found(name, seed) for seed in range(4)] for name in (NAME, "random_search"))
    assert mean(searched) > mean(drawn) + 1


def test_a_failed_trial_is_not_modelled(strategy, table):
    tried = told(strategy(NAME, table), table, archs(table, 25))
    tried.tell(Trial(25, Candidate((0,) * 5), None, error="diverged"))
    assert len(tried.trials) == 25 and np.isfinite(tried._improvement(archs(table, 3))).all()


@pytest.mark.parametrize("count, fitted", [(20, 20), (25, 25), (49, 25), (50, 50)])
def test_the_kernel_is_fitted_after_every_so_many_trials(strategy, table, count, fitted):
    tried = told(strategy(NAME, table), table, archs(table, count))
    tried._kernel()
    assert list(tried._kernels) == [fitted]


def test_all_candidates_are_feasible(strategy, table):
    tried = told(strategy(NAME, table, feasible=Limit(lambda arch: arch[0] == 1)), table, archs(table, 25))
    assert {arch[0] for arch in tried._candidates()} == {1}
