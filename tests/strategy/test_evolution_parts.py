"""Mutation, crossover and survival of evolution, and that any of them compose."""

from collections import Counter

import pytest
import torch

from nasctl import walk
from nasctl.strategy.crossover.uniform import UniformCrossover
from nasctl.strategy.mutation.each_decision import EachDecision
from nasctl.strategy.survival.worst import Worst
from tests.strategy.table import Growing, Table, play

NAME = "regularized_evolution"


def test_a_child_of_a_crossover_has_each_decision_of_either_parent():
    space, generator = Table(6, 4), torch.Generator().manual_seed(0)
    first, second = (0,) * 6, (3,) * 6
    crossed = [UniformCrossover(probability=0.25).cross(space, first, second, generator) for _ in range(800)]
    assert {option for arch in crossed for option in arch} == {0, 3}
    share = Counter(option for arch in crossed for option in arch)[3] / 4800
    assert abs(share - 0.25) < 5 * (0.25 * 0.75 / 4800) ** 0.5
    assert UniformCrossover(probability=0.0).cross(space, first, second, generator) == first


def test_walks_of_different_length_are_crossed_into_walks_of_the_space():
    space, generator = Growing(), torch.Generator().manual_seed(0)
    children = {UniformCrossover(probability=0.5).cross(space, (0,), (3, 1, 2, 0), generator) for _ in range(100)}
    assert children == {(0,), (3, 1, 2, 0)}  # later decisions have one parent alone
    assert all(walk.belongs(space, child) for child in children)


def test_each_decision_is_sampled_again_as_often_as_said():
    space, generator = Table(5, 4), torch.Generator().manual_seed(0)
    mutants = [EachDecision(probability=0.4).mutate(space, (1,) * 5, generator) for _ in range(1000)]
    share = sum(option != 1 for arch in mutants for option in arch) / 5000
    assert abs(share - 0.3) < 5 * (0.3 * 0.7 / 5000) ** 0.5  # a quarter of the samples is the parent's option
    grown = {EachDecision(probability=0.5).mutate(Growing(), (3, 1, 2, 0), generator) for _ in range(200)}
    assert all(walk.belongs(Growing(), arch) for arch in grown) and {len(arch) for arch in grown} == {1, 2, 3, 4}


def test_of_equally_bad_members_the_oldest_dies():
    assert Worst().dies([((0,), 2.0), ((1,), 1.0), ((2,), 3.0), ((3,), 1.0)]) == 1


@pytest.mark.parametrize("space", [Table, Growing])
def test_where_the_worst_dies_the_population_are_the_best_trials(strategy, space):
    space = space()
    tried = strategy(NAME, space, survival="worst", crossover="uniform", population_size=5, sample_size=2)
    worths = sorted(space.worth(arch) for arch, _ in play(tried, space, 60)[1::2])
    assert sorted(reward for _, reward in tried.trials) == worths[-5:]
