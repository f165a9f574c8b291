"""The toy space: the published counts, sums over neighbours, and no networks."""

from itertools import product

import pytest

from nasctl.core import Task
from nasctl.errors import RequestError
from nasctl.space import _chain

NOTHING = Task("none", (), 0)
PARAMS = {"2-2": 15, "2-3": 19, "2-4": 23, "3-2": 20, "3-3": 25, "3-4": 30, "4-2": 25, "4-3": 31, "4-4": 37}


def test_parameters_are_those_of_the_example(space):
    toy = space("toy", NOTHING)
    assert {text: toy.cost(toy.format.parse(text), "params") for text in PARAMS} == PARAMS
    assert toy.cost(toy.format.parse("4-2"), "macs") == 2 * 4 + 4 * 2 + 2 * 1


# 32-144-24 and the counts of feasible architectures: https://arxiv.org/abs/2204.07615, the Criteo space
@pytest.mark.parametrize("layers, feasible", [(2, 77), (3, 856), (4, 10_009)])
def test_longer_chains_of_the_papers_widths_cost_what_the_paper_says(space, layers, feasible):
    widths = [8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 384, 512]
    toy = space("toy", NOTHING, widths=widths, layers=layers, inputs=1027)
    tables = toy.chain("params")
    costs = [_chain.total(tables, arch) for arch in product(range(20), repeat=layers)]
    assert sum(cost <= 41_153 for cost in costs) == feasible
    if layers == 3:
        assert toy.cost(toy.format.parse("32-144-24"), "params") == 41_153 and costs.count(41_153) == 1


@pytest.mark.parametrize("text", ["", "4-", "4:2", "four-two"])
def test_text_that_is_no_genotype_is_refused(space, text):
    with pytest.raises(RequestError) as refused:
        space("toy", NOTHING).format.parse(text)
    assert str(refused.value) == f"genotype text: {text!r} is not of the form 4-2; correct it"


@pytest.mark.parametrize("genotype", [{}, {"widths": [4]}, {"widths": [4, 5]}, {"widths": "42"}])
def test_a_genotype_of_other_widths_is_refused(space, genotype):
    with pytest.raises(RequestError) as refused:
        space("toy", NOTHING).format.check(genotype)
    assert str(refused.value) == (
        f"genotype: {genotype} does not give each of 2 layers one of the widths 2, 3, 4; correct it"
    )


def test_repeated_widths_are_refused(space):
    with pytest.raises(RequestError, match=r"space.widths=\[2, 2\] must be one or more different widths"):
        space("toy", NOTHING, widths=[2, 2])
