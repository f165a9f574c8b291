"""Walks of spaces whose choices depend on one another."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from scipy.stats import chisquare

from nasctl import walk
from nasctl.core import Decision
from nasctl.errors import RequestError
from tests.strategy.table import Growing, Table


def test_a_uniform_walk_takes_each_open_option_equally_often():
    generator = torch.Generator().manual_seed(0)
    archs = [walk.uniform(Growing(), generator) for _ in range(4000)]
    lengths = Counter(map(len, archs))
    assert chisquare([lengths[n] for n in (1, 2, 3, 4)]).pvalue > 1e-3
    last = Counter(arch[3] for arch in archs if len(arch) == 4)
    assert set(last) == {0, 1, 2}  # of the four options, the last choice has three
    assert chisquare(list(last.values())).pvalue > 1e-3


def test_a_mutation_changes_one_decision_and_each_equally_often():
    space, generator = Table(), torch.Generator().manual_seed(1)
    arch = (0, 1, 2, 3, 0)
    changes = Counter()
    for _ in range(3000):
        child = walk.mutate(space, arch, generator)
        (change,) = [(i, b) for i, (a, b) in enumerate(zip(arch, child, strict=True)) if a != b]
        changes.update([change])
    assert len(changes) == 5 * 3
    assert chisquare(list(changes.values())).pvalue > 1e-3


def test_a_mutation_keeps_what_stays_open_and_draws_what_opens():
    space, generator = Growing(), torch.Generator().manual_seed(2)
    children = {walk.mutate(space, (2, 3, 0), generator) for _ in range(500)}
    shorter = {child for child in children if child[0] < 2}
    longer = {child for child in children if child[0] == 3}
    assert shorter == {(0,), (1, 3)}
    assert longer == {(3, 3, 0, last) for last in range(3)}
    same_length = children - shorter - longer
    assert same_length == {(2, k, 0) for k in range(3)} | {(2, 3, k) for k in (1, 2)}


def test_a_choice_of_one_option_is_never_mutated():
    class Forced(Table):
        def decision(self, prefix):
            forced = (0,) if len(prefix) in (0, 2) else None
            return replace(self.decisions[len(prefix)], open=forced) if len(prefix) < 5 else None

    generator = torch.Generator().manual_seed(3)
    children = [walk.mutate(Forced(), (0, 1, 0, 1, 1), generator) for _ in range(100)]
    assert all(child != (0, 1, 0, 1, 1) and child[0] == child[2] == 0 for child in children)


@pytest.mark.parametrize("options", [range(3), [5, 7], ("a", "b")])
def test_picking_takes_every_option(options):
    generator = torch.Generator().manual_seed(4)
    assert {walk.pick(options, generator) for _ in range(100)} == set(options)


def test_picks_are_what_as_many_calls_of_pick_return():
    first, second = (torch.Generator().manual_seed(4) for _ in range(2))
    options = ["a", "b", "c", "d", "e"]
    assert walk.picks(options, 25, first) == [walk.pick(options, second) for _ in range(25)]
    assert torch.equal(first.get_state(), second.get_state())


class Counting:
    """A walk of yes and no; ``complete`` after one decision and after the last of ``length``."""

    def __init__(self, length=3, open_=None, complete=lambda prefix: len(prefix) in (1, 3)):
        self.length, self.open, self.complete = length, open_, complete

    def decision(self, prefix):
        return Decision("any", "any", ("no", "yes"), self.open) if len(prefix) < self.length else None


def test_every_complete_prefix_is_an_architecture():
    archs = list(walk.every(Counting()))
    assert archs == sorted(archs) and len(archs) == 2 + 8
    assert all(walk.belongs(Counting(), arch) for arch in archs)
    assert not any(walk.belongs(Counting(), arch) for arch in [(), (0, 0), (2,), (0, 0, 0, 0)])


def test_a_strategy_may_stop_at_a_complete_prefix_only():
    generator = torch.Generator().manual_seed(0)
    assert {len(walk.uniform(Counting(), generator, stop=lambda prefix: True)) for _ in range(20)} == {1}
    assert {len(walk.uniform(Counting(), generator, stop=lambda prefix: len(prefix) >= 2)) for _ in range(20)} == {3}
    assert len(walk.mutate(Counting(), (1,), generator, stop=lambda prefix: True)) == 1


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            Counting(open_=()),
            r"space: the walk that begins with \[\] has no option open in decision 'any'; open one or",
        ),
        (Counting(length=10**6), "space: the walk that begins with .* goes on after 10000 decisions; have decision"),
        (Counting(length=2), r"space: the walk that begins with \[., .\] ends where no network can be built; have com"),
    ],
)
def test_a_faulty_walk_is_refused_in_one_sentence(space, message):
    with pytest.raises(RequestError, match=message):
        walk.uniform(space, torch.Generator().manual_seed(0))
