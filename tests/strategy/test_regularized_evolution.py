"""Regularized evolution: who dies, who is the parent, what a child is, and that it pays."""

from dataclasses import replace
from statistics import mean

import pytest

from nasctl import walk
from nasctl.core import Candidate, Evaluation, Trial
from nasctl.errors import RequestError
from tests.strategy.table import Table, play

NAME = "regularized_evolution"


def tell(strategy, arch, reward, error=None):
    strategy.tell(
        Trial(0, Candidate(arch), None if error else Evaluation({}), reward=None if error else reward, error=error)
    )


def filled(strategy, count=6, **changes):
    """Return a strategy whose full population of ``count`` has rewards 0, 10, 20, ..."""
    tried = strategy(NAME, population_size=count, **changes)
    for k in range(count):
        tell(tried, (k % 4, k // 4, 0, 0, 0), 10.0 * k)
    return tried


def test_the_oldest_dies_even_if_it_is_the_best(strategy):
    tried = strategy(NAME, population_size=3, sample_size=3, identity_probability=1.0)
    archs = [(k, 0, 0, 0, 0) for k in range(4)]
    for arch, reward in zip(archs, (9.0, 1.0, 2.0, 3.0), strict=True):
        tell(tried, arch, reward)
    assert [arch for arch, _ in tried.trials] == archs[1:]
    assert archs[0] not in {tried.ask().arch for _ in range(50)}
    assert tried.derive() == archs[0]


def test_the_population_starts_from_uniform_draws(strategy, table):
    evolution, random = strategy(NAME, table), strategy("random_search", table)
    assert play(evolution, table, 100) == play(random, table, 100)
    assert play(evolution, table, 10, start=100) != play(random, table, 10, start=100)


def test_the_parent_is_the_best_of_a_sample_drawn_with_replacement(strategy, monkeypatch):
    tried = filled(strategy, sample_size=3, identity_probability=0.0)
    drawn, picks = [], walk.picks

    def spy(options, count, generator):
        drawn.extend(picks(options, count, generator))
        return list(drawn)

    monkeypatch.setattr(walk, "picks", spy)
    samples = []
    for _ in range(200):
        drawn.clear()
        child = tried.ask().arch
        parent, _ = max(drawn, key=lambda member: member[1])
        assert sum(a != b for a, b in zip(child, parent, strict=True)) == 1
        samples.append([reward for _, reward in drawn])
    assert {len(sample) for sample in samples} == {3}
    assert {reward for sample in samples for reward in sample} == {0.0, 10.0, 20.0, 30.0, 40.0, 50.0}
    repeats = sum(len(set(sample)) < 3 for sample in samples) / 200
    assert 0.3 < repeats < 0.6  # 1 - (5 * 4) / (6 * 6) = 0.44


@pytest.mark.parametrize(("probability", "least", "most"), [(0.0, 0, 0), (0.3, 100, 200), (1.0, 500, 500)])
def test_identity_keeps_the_parent_as_often_as_said(strategy, probability, least, most):
    tried = filled(strategy, sample_size=1, identity_probability=probability)
    parents = {arch for arch, _ in tried.trials}
    tried.space = Spread(tried.space)
    kept = sum(tried.ask().arch in parents for _ in range(500))
    assert least <= kept <= most


class Spread:
    """The last choice of a space only: its mutants are none of the filled population."""

    def __init__(self, space):
        self.space = space

    def decision(self, prefix):
        found = self.space.decision(prefix)
        return found if len(prefix) in (4, 5) else replace(found, open=(0,))

    def complete(self, prefix):
        return self.space.complete(prefix)


def test_a_failed_trial_neither_lives_nor_kills(strategy):
    tried = filled(strategy, sample_size=3)
    before = list(tried.trials)
    tell(tried, (3, 3, 3, 3, 3), float("-inf"), error="diverged")
    assert list(tried.trials) == before


def test_it_beats_random_search_on_an_additive_table(strategy):
    def found(name, seed, **changes):
        table = Table(length=10, width=5, seed=seed)
        tried = strategy(name, table, seed, **changes)
        play(tried, table, 200)
        return table.worth(tried.derive())

    evolved = [found(NAME, seed, population_size=20, sample_size=10) for seed in range(8)]
    drawn = [found("random_search", seed) for seed in range(8)]
    assert mean(evolved) > mean(drawn) + 1


def test_a_sample_larger_than_the_population_is_refused(strategy):
    with pytest.raises(RequestError) as error:
        strategy(NAME, population_size=20, sample_size=30)
    assert (
        str(error.value) == "strategy: parent_selection.sample_size (30) must be at most population_size (20); lower it"
    )
