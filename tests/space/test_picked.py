"""Spaces whose architectures are picked and never mixed keep what is promised by every space with shared weights."""

import math

import pytest
import torch

from nasctl import walk
from tests.space import test_contract as contract

PICKED = ["enas_macro", "enas_micro"]


@pytest.mark.parametrize("name", PICKED)
@pytest.mark.parametrize(
    "promise",
    [
        contract.test_walks_take_every_decision_and_no_more,
        contract.test_size_is_the_number_of_walks,
        contract.test_names_are_distinct_and_options_plain,
        contract.test_genotypes_are_distinct_legal_json_and_survive_their_notation,
        contract.test_features_count_what_the_graph_shows,
        contract.test_costs_equal_an_independent_count,
        contract.test_costs_are_of_the_final_form_and_of_the_whole_architecture,
        contract.test_a_picked_path_equals_its_own_network,
        contract.test_a_picked_path_costs_only_that_path,
        contract.test_another_kind_of_task_is_refused,
    ],
)
def test_it_keeps_the_promises_of_every_space_that_need_no_rows(space, promise, name):
    promise(space, name)


@pytest.mark.parametrize("name", PICKED)
@pytest.mark.parametrize("build", ["search", "final", "supernet"])
def test_size_replaces_parts_of_a_form(space, build, name):
    contract.test_size_replaces_parts_of_a_form(space, name, build)


@pytest.mark.parametrize("name", PICKED)
def test_a_uniform_walk_is_uniform(space, name):
    made, generator = space(name), torch.Generator().manual_seed(0)
    archs = torch.tensor([walk.uniform(made, generator) for _ in range(2000)])
    for i, decision in enumerate(made.decisions):
        counts = torch.bincount(archs[:, i], minlength=len(decision.options)).double()
        expected = 2000 / len(decision.options)
        assert len(counts) == len(decision.options) and ((counts - expected).abs() < 5 * math.sqrt(expected)).all()
