"""Random search: uniform questions, and the best answer is derived."""

from collections import Counter

import pytest
from scipy.stats import chisquare

from nasctl.core import Candidate, Evaluation, Trial
from nasctl.errors import RunError
from tests.strategy.table import Limit, Table, play


def tell(strategy, arch, reward, error=None):
    strategy.tell(
        Trial(0, Candidate(arch), None if error else Evaluation({}), reward=None if error else reward, error=error)
    )


def test_questions_are_uniform_over_what_is_feasible(strategy):
    space = Table(length=3, width=3)
    limit = Limit(lambda arch: sum(arch) != 2)
    tried = strategy("random_search", space, feasible=limit)
    asked = Counter(tried.ask().arch for _ in range(2000))
    assert len(asked) == 27 - 6
    assert chisquare(list(asked.values())).pvalue > 1e-3


def test_the_best_is_derived_and_the_first_of_equals(strategy):
    tried = strategy("random_search")
    tell(tried, (0, 0, 0, 0, 0), -3.0)
    assert tried.derive() == (0, 0, 0, 0, 0)
    tell(tried, (1, 0, 0, 0, 0), -1.0)
    tell(tried, (2, 0, 0, 0, 0), -1.0)
    tell(tried, (3, 0, 0, 0, 0), -2.0)
    assert tried.derive() == (1, 0, 0, 0, 0)


def test_a_failed_trial_is_never_derived(strategy):
    tried, resumed = strategy("random_search"), strategy("random_search")
    nothing = "no trial has succeeded, so there is no architecture to derive; the last one: "
    with pytest.raises(RunError, match=f"{nothing}none was told"):
        tried.derive()
    tell(tried, (1, 0, 0, 0, 0), float("inf"), error="diverged")
    resumed.load_state_dict(tried.state_dict())
    for one in (tried, resumed):
        with pytest.raises(RunError, match=f"{nothing}diverged"):
            one.derive()
    tell(tried, (2, 0, 0, 0, 0), -9.0)
    assert tried.derive() == (2, 0, 0, 0, 0)


def test_what_is_told_does_not_change_what_is_asked(strategy, table):
    silent, told = strategy("random_search", table), strategy("random_search", table)
    seen = play(told, table, 30)
    assert [arch for arch, _ in seen] == [silent.ask().arch for _ in range(60)]
