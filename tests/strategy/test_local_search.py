"""Local search: whole neighbourhoods, the best of them, restarts, and nothing asked twice."""

import pytest

from nasctl.core import Candidate, Evaluation, Trial
from tests.strategy.table import Limit, Table, play

NAME = "local_search"


def distance(a, b):
    return sum(x != y for x, y in zip(a, b, strict=True))


def climb(strategy, space, steps, feasible=None, **changes):
    """Play some turns; return the strategy and what was asked."""
    tried = strategy(NAME, space, feasible=feasible, **changes)
    return tried, [arch for arch, _ in play(tried, space, steps)[1::2]]


def test_all_neighbours_of_the_start_are_asked_first(strategy, table):
    tried = strategy(NAME, table)
    asked = []
    for index in range(16):
        candidate = tried.ask()
        tried.tell(table.trial(index, candidate))
        asked.append(candidate.arch)
    assert len(set(asked)) == 16 and all(distance(asked[0], arch) == 1 for arch in asked[1:])
    following = tried.ask().arch
    best = max(asked[1:], key=table.worth)
    assert distance(best, following) == 1 or table.worth(best) < table.worth(asked[0])


def test_on_an_additive_table_every_climb_ends_at_the_top(strategy):
    space = Table(length=4, width=3)
    tried, _ = climb(strategy, space, 60)
    assert tried.derive() == tuple(int(row.argmax()) for row in space.values)


@pytest.mark.parametrize("first", [True, False])
def test_the_first_better_neighbour_or_the_best_is_the_next_centre(strategy, first):
    space = Table(length=3, width=3)
    tried = strategy(NAME, space, first_improvement=first)
    start = tried.ask().arch
    tried.tell(Trial(0, Candidate(start), Evaluation({}), reward=0.0))
    rewards = [1.0, 5.0, 2.0, 3.0, 4.0, -1.0]
    asked = []
    for reward in rewards[: 2 if first else 6]:
        arch = tried.ask().arch
        asked.append(arch)
        tried.tell(Trial(0, Candidate(arch), Evaluation({}), reward=reward))
    following = tried.ask()
    assert tried.centre == asked[1] and distance(tried.centre, following.arch) == 1


def test_a_summit_is_left_for_a_random_start(strategy):
    space = Table(length=3, width=3)
    tried = strategy(NAME, space)
    for reward in [9.0, *[1.0] * 6]:
        tried.tell(Trial(0, tried.ask(), Evaluation({}), reward=reward))
    assert tried.centre is not None
    tried.ask()
    assert tried.centre is None


def test_nothing_is_asked_twice_while_it_climbs(strategy):
    space = Table(length=6, width=4)
    tried = strategy(NAME, space)
    seen = set()
    for index in range(100):
        candidate = tried.ask()
        climbing = tried.centre is not None
        assert not (climbing and candidate.arch in seen)
        seen.add(candidate.arch)
        tried.tell(space.trial(index, candidate))


def test_a_failed_neighbour_is_neither_moved_to_nor_asked_again(strategy):
    space = Table(length=2, width=2)
    tried = strategy(NAME, space)
    start = tried.ask()
    tried.tell(Trial(0, start, Evaluation({}), reward=-5.0))
    failed = tried.ask()
    tried.tell(Trial(1, failed, None, error="diverged"))
    other = tried.ask()
    tried.tell(Trial(2, other, Evaluation({}), reward=-4.0))
    tried.ask()
    assert tried.centre == other.arch and tried.derive() == other.arch


def test_infeasible_neighbours_are_passed_over(strategy):
    limit = Limit(lambda arch: sum(arch) % 2 == 0)
    _, asked = climb(strategy, Table(length=5, width=4), 80, limit)
    assert all(sum(arch) % 2 == 0 for arch in asked) and len(set(asked)) > 40
