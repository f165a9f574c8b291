"""Enumeration: every feasible architecture once and in order, and the ends of the walk."""

import itertools

import pytest

from nasctl.errors import ExhaustedError, RequestError
from tests.strategy.table import Growing, Limit, Table


def walk(strategy, table):
    asked = []
    with pytest.raises(ExhaustedError):
        while True:
            candidate = strategy.ask()
            asked.append(candidate.arch)
            strategy.tell(table.trial(len(asked), candidate))
    return asked


def test_every_architecture_is_asked_once_and_in_order(strategy):
    table = Table(length=3, width=4)
    tried = strategy("enumeration", table)
    assert walk(tried, table) == list(itertools.product(range(4), repeat=3))
    assert tried.derive() == max(itertools.product(range(4), repeat=3), key=table.worth)
    with pytest.raises(ExhaustedError):
        tried.ask()


def test_walks_of_any_length(strategy):
    space = Growing()
    asked = walk(strategy("enumeration", space), space)
    assert asked == sorted(set(asked)) and len(asked) == 1 + 4 + 4 * 3 + 4 * 3 * 3
    assert asked[:3] == [(0,), (1, 0), (1, 1)]


def test_only_feasible_ones_are_asked(strategy):
    table = Table(length=3, width=4)
    accepts = lambda arch: sum(arch) == 4  # noqa: E731
    asked = walk(strategy("enumeration", table, feasible=Limit(accepts)), table)
    assert asked == [arch for arch in itertools.product(range(4), repeat=3) if accepts(arch)]


def test_a_space_without_feasible_ones_is_refused_with_all_of_it(strategy):
    limit = Limit(lambda arch: False, tries=2)
    with pytest.raises(RequestError, match="the limit is impossible"):
        strategy("enumeration", Table(length=2, width=3), feasible=limit).ask()
    assert limit.refused == list(itertools.product(range(3), repeat=2))
