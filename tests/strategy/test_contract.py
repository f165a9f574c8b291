"""What every strategy of conf/strategy promises. ``name`` runs over all YAMLs, ``black_box`` over some."""

from copy import deepcopy

import pytest

from nasctl import walk
from nasctl.errors import RequestError
from tests.small import same, through_a_file
from tests.strategy.conftest import STATES, STEPS
from tests.strategy.table import Growing, Limit, play

NOTHING_DRAWN = {"darts_rnn"}  # logits start at zero


@pytest.mark.parametrize("steps", [0, *STATES])
def test_interrupted_and_resumed_equals_uninterrupted(strategy, table, played, name, steps):
    whole = played(name)
    resumed = strategy(name, table, seed=99)
    resumed.load_state_dict(deepcopy(whole.states[steps]))
    seen = play(resumed, table, STEPS - steps, start=steps)
    assert seen and same(seen, whole.seen[-len(seen) :])
    assert resumed.derive() == whole.strategy.derive()
    assert same(through_a_file(resumed.state_dict()), whole.states[STEPS])


@pytest.mark.parametrize("steps", [0, 115])
def test_loading_forgets_what_was_there(strategy, table, played, name, steps):
    used = strategy(name, table, seed=1)
    used.load_state_dict(deepcopy(played(name).states[STEPS]))
    play(used, table, 5, start=STEPS)
    used.load_state_dict(deepcopy(played(name).states[steps]))
    assert same(through_a_file(used.state_dict()), played(name).states[steps])


def test_the_seed_alone_decides(strategy, table, played, name):
    again, other = (play(strategy(name, table, seed=seed), table, STEPS) for seed in (0, 2))
    assert same(again, played(name).seen)
    assert same(again, other) == (name in NOTHING_DRAWN)


@pytest.mark.parametrize("steps", [0, 115])
def test_sampling_touches_only_the_random_stream(strategy, table, played, name, steps):
    tried = strategy(name, table)
    before = played(name).states[steps]
    tried.load_state_dict(deepcopy(before))
    for _ in range(3):
        tried.sample()
    after = through_a_file(tried.state_dict())
    assert after.keys() == before.keys()
    assert {key for key in after if not same(after[key], before[key])} <= {"generator"}


def test_deriving_changes_nothing(strategy, table, played, name):
    nosy, seen = strategy(name, table), []
    for index in range(STEPS):
        seen += play(nosy, table, 1, start=index)
        before = through_a_file(nosy.state_dict())
        assert nosy.derive() == nosy.derive()
        assert same(through_a_file(nosy.state_dict()), before)
    assert same(seen, played(name).seen)


def test_what_is_derived_is_a_whole_legal_architecture(table, played, name):
    assert played(name).strategy.derive() in _all(table)


def test_what_is_derived_is_the_best_of_what_was_asked(table, played, black_box):
    asked = [arch for arch, _ in played(black_box).seen[1::2]]
    assert played(black_box).strategy.derive() == max(asked, key=table.worth)


def _all(space, prefix=()):
    options = walk.options(space, prefix)
    return [arch for k in options for arch in _all(space, (*prefix, k))] if options else [prefix]


def test_what_is_asked_is_a_whole_legal_architecture(table, played, name):
    assert {arch for arch, _ in played(name).seen} <= set(_all(table))


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
