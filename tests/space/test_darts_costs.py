"""Costs summed over parts equal the count of the whole network, in every form and for every operation."""

from itertools import product

import pytest
import torch

from nasctl import walk
from nasctl.core import Task
from nasctl.space import _count
from nasctl.space._cell.operations import OPERATIONS

CIFAR = Task("image_classification", (3, 32, 16), 10)  # not square, so that no side stands for the other
IMAGENET = Task("image_classification", (3, 64, 96), 7)


@pytest.mark.parametrize("name, task", [("darts", CIFAR), ("darts_imagenet", IMAGENET)])
@pytest.mark.parametrize("form", [{"layers": 5}, {"layers": 2, "affine": False, "pool_norm": True}, {"layers": 1}])
def test_the_sum_of_the_parts_is_the_count_of_the_network(space, name, task, form):
    final = {"channels": 4, "auxiliary": False} | form
    made = space(name, task, final=final, operations=["none", *OPERATIONS])
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        genotype = made.genotype(walk.uniform(made, generator))
        counted = made.count(_count.on_meta(lambda genotype=genotype: made.build(genotype, "final")))
        assert {key: made.cost(genotype, key) for key in counted} == counted


def test_a_concatenation_of_fewer_states_costs_less(space):
    made = space("darts", CIFAR, small=True)
    genotype = made.genotype((0,) * len(made.decisions))
    narrow = genotype | {"normal_concat": [4, 5]}
    counted = made.count(_count.on_meta(lambda: made.build(narrow, "final")))
    assert made.cost(narrow, "params") == counted["params"] < made.cost(genotype, "params")


@pytest.mark.parametrize("name", ["params", "macs"])
def test_even_rows_cost_what_a_random_cell_costs_on_average(space, name):
    made = space(
        "darts", CIFAR, small=True, nodes=2, operations=["none", "sep_conv_3x3", "skip_connect", "dil_conv_5x5"]
    )
    tables = torch.tensor(made.relaxed_chain(name), dtype=torch.float64)
    assert tables.shape == (2 * (2 + 3) - 1, 4, 4)
    even = torch.full((4,), 0.25, dtype=torch.float64)
    costs = [made.cost(made.genotype(arch), name) for arch in every(made)]
    assert float((even @ tables @ even).sum()) == pytest.approx(sum(costs) / len(costs), rel=1e-9)


def every(made):
    """Return the architectures whose reduction cell is the first or the last one, which suffices for a mean of sums."""
    half = [range(len(decision.options)) for decision in made.decisions[: len(made.decisions) // 2]]
    cells = list(product(*half))
    return [(*cell, *other) for cell, other in zip(cells, reversed(cells), strict=True)]
