"""What every strategy of conf/strategy promises. ``name`` runs over all YAMLs, ``black_box`` over some."""

import pytest

from nasctl import walk
from nasctl.errors import RequestError
from tests.small import same, through_a_file
from tests.strategy.table import Growing, Limit, play

NOTHING_DRAWN = {"darts_rnn"}  # logits start at zero
STEPS = 130  # more than the population of evolution, so that it mutates


@pytest.mark.parametrize("steps", [0, 1, 60, 115])
def test_interrupted_and_resumed_equals_uninterrupted(strategy, table, name, steps):
    whole = strategy(name, table)
    expected = play(whole, table, STEPS)
    first = strategy(name, table)
    seen = play(first, table, steps)
    second = strategy(name, table, seed=99)
    second.load_state_dict(through_a_file(first.state_dict()))
    seen += play(second, table, STEPS - steps, start=steps)
    assert same(seen, expected)
    assert second.derive() == whole.derive()
    assert same(second.state_dict(), whole.state_dict())


@pytest.mark.parametrize("steps", [0, 115])
def test_loading_forgets_what_was_there(strategy, table, name, steps):
    saved = strategy(name, table)
    play(saved, table, steps)
    state = through_a_file(saved.state_dict())
    used = strategy(name, table, seed=1)
    play(used, table, 120)
    used.load_state_dict(state)
    assert same(through_a_file(used.state_dict()), state)


def test_the_seed_alone_decides(strategy, table, name):
    one, again, other = (play(strategy(name, table, seed=seed), table, STEPS) for seed in (1, 1, 2))
    assert same(one, again)
    assert same(one, other) == (name in NOTHING_DRAWN)


@pytest.mark.parametrize("steps", [0, 115])
def test_sampling_touches_only_the_random_stream(strategy, table, name, steps):
    tried = strategy(name, table)
    play(tried, table, steps)
    before = through_a_file(tried.state_dict())
    for _ in range(3):
        tried.sample()
    after = tried.state_dict()
    assert after.keys() == before.keys()
    assert {key for key in after if not same(after[key], before[key])} <= {"generator"}


def test_deriving_changes_nothing(strategy, table, name):
    quiet, nosy = strategy(name, table), strategy(name, table)
    for index in range(STEPS):
        expected, seen = (play(one, table, 1, start=index) for one in (quiet, nosy))
        assert same(seen, expected)
        before = through_a_file(nosy.state_dict())
        assert nosy.derive() == nosy.derive()
        assert same(nosy.state_dict(), before)


def test_what_is_derived_is_a_whole_legal_architecture(strategy, table, name):
    tried = strategy(name, table)
    play(tried, table, STEPS)
    assert tried.derive() in _all(table)


def test_what_is_derived_is_the_best_of_what_was_asked(strategy, table, black_box):
    tried = strategy(black_box, table)
    asked = [arch for arch, _ in play(tried, table, STEPS)[1::2]]
    assert tried.derive() == max(asked, key=table.worth)


def _all(space, prefix=()):
    options = walk.options(space, prefix)
    return [arch for k in options for arch in _all(space, (*prefix, k))] if options else [prefix]


def test_what_is_asked_is_a_whole_legal_architecture(strategy, table, name):
    legal = set(_all(table))
    assert {arch for arch, _ in play(strategy(name, table), table, STEPS)} <= legal


def test_relaxed_strategies_and_only_they_ask_mixtures_of_each_row(strategy, table, name):
    tried = strategy(name, table)
    asked, sampled = tried.ask(), tried.sample()
    for candidate in (asked, sampled):
        assert (candidate.weights is not None) == tried.relaxed
        for row, weights in zip(table.relaxed_choices, candidate.weights or [], strict=False):
            assert weights.shape == (len(row.options),)
            assert abs(float(weights.detach().sum()) - 1) < 1e-6
    if tried.relaxed:
        assert len(asked.weights) == len(sampled.weights) == len(table.relaxed_choices)
        assert all(row.requires_grad for row in asked.weights)
        assert not any(row.requires_grad for row in sampled.weights)


def test_walks_of_any_length_are_asked(strategy, black_box):
    space = Growing()
    seen = play(strategy(black_box, space), space, STEPS)
    assert {arch for arch, _ in seen} <= set(_all(space))
    assert {len(arch) for arch, _ in seen} == {1, 2, 3, 4}


def test_what_is_asked_is_feasible(strategy, table, black_box):
    limit = Limit(lambda arch: arch[0] == 1 and arch[1] != 2)
    seen = play(strategy(black_box, table, feasible=limit), table, STEPS)
    assert all(limit.accepts(arch) for arch, _ in seen)
    assert len({arch for arch, _ in seen}) > 20


@pytest.mark.parametrize("steps", [0, 115])
@pytest.mark.parametrize("method", ["ask", "sample"])
def test_an_impossible_limit_ends_in_its_refusal_after_the_given_tries(strategy, table, drawing, steps, method):
    limit = Limit(tries=7)
    tried = strategy(drawing, table, feasible=limit)
    play(tried, table, steps)
    limit.accepts, limit.calls = lambda arch: False, 0
    with pytest.raises(RequestError, match="the limit is impossible; raise it"):
        getattr(tried, method)()
    assert limit.calls == len(limit.refused) == 7
    assert set(limit.refused) <= set(_all(table))
