"""TPE: densities by hand, the ratio that is maximised, and gain over random search."""

import math
from statistics import mean

import pytest

from nasctl.core import Candidate, Trial
from nasctl.strategy.tpe import Density
from tests.strategy.table import Growing, Table, play

NAME = "tpe"


def test_a_density_is_the_smoothed_frequency_of_open_options():
    density = Density([(0, 2), (0, 1), (1, 2)], prior=0.5)
    assert density.weights(0, [0, 1, 2, 3]) == pytest.approx([2.5 / 5, 1.5 / 5, 0.5 / 5, 0.5 / 5])
    assert density.weights(1, [1, 2]) == pytest.approx([1.5 / 4, 2.5 / 4])
    space = Table(length=2, width=4)
    assert density.log(space, (0, 2)) == pytest.approx(math.log(2.5 / 5) + math.log(2.5 / 5))


def test_walks_of_any_length_have_a_probability():
    density, space = Density([(1, 3), (3, 0, 1, 2)], prior=1.0), Growing()
    archs = [(0,), *((1, k) for k in range(4))]
    archs += [(2, a, b) for a in range(4) for b in range(3)]
    archs += [(3, a, b, c) for a in range(4) for b in range(3) for c in range(3)]
    assert sum(math.exp(density.log(space, arch)) for arch in archs) == pytest.approx(1)


def test_the_best_quarter_is_good(strategy, table):
    tried = strategy(NAME, table, good=0.25)
    for index, first in enumerate((0, 1, 2, 3, 0, 1, 2, 3)):
        tried.tell(Trial(index, Candidate((first, 0, 0, 0, 0)), object(), reward=float(first)))
    good, bad = tried._densities()
    assert good.counts[0, 3] == 2 and sum(good.counts[0, k] for k in range(4)) == 2
    assert [bad.counts[0, k] for k in range(4)] == [2, 2, 2, 0]


def test_what_is_asked_has_the_largest_ratio_of_the_pool(strategy, table):
    tried, twin = (strategy(NAME, table, initial=30, pool=10) for _ in range(2))
    for one in (tried, twin):
        play(one, table, 30)
    good, bad = twin._densities()
    pool = [twin._walk(good) for _ in range(10)]
    assert tried.ask().arch == max(pool, key=lambda arch: good.log(table, arch) - bad.log(table, arch))


@pytest.mark.slow
def test_it_beats_random_search_on_an_additive_table(strategy):
    def found(name, seed):
        table = Table(length=10, width=5, seed=seed)
        tried = strategy(name, table, seed)
        play(tried, table, 120)
        return table.worth(tried.derive())

    searched, drawn = ([found(name, seed) for seed in range(5)] for name in (NAME, "random_search"))
    assert mean(searched) > mean(drawn) + 1


def test_a_failed_trial_has_no_place_in_the_densities(strategy, table):
    tried = strategy(NAME, table)
    tried.tell(Trial(0, Candidate((0,) * 5), None, error="diverged"))
    assert tried.trials == []
