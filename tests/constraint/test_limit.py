"""Limits on a cost, and the absence of one."""

import pytest

from nasctl.constraint.limit import Limit
from nasctl.constraint.none import Unconstrained
from nasctl.core import ConstraintContext, ResourceContext, Task
from nasctl.errors import RequestError
from nasctl.resource.macs import Macs
from nasctl.resource.params import Params
from nasctl.space.toy import Toy
from tests.small import Problem


class Priced:
    """A space in which a genotype says what it costs."""

    def cost(self, genotype, name):
        return genotype[name]


def context(space):
    about = ResourceContext(space, None, None)
    return ConstraintContext(space, {"params": Params(about), "macs": Macs(about)})


def limit(resource="params", at=3.5e6, tries=40):
    return Limit(context(Priced()), resource=resource, limit=at, tries=tries)


@pytest.mark.parametrize("params, feasible", [(3_499_999, True), (3_500_000, True), (3_500_001, False)])
def test_a_genotype_may_cost_as_much_as_the_limit(params, feasible):
    genotype = {"params": params, "macs": 0}
    assert limit()(genotype) is feasible
    assert limit().margin(genotype) == 3_500_000 - params


def test_it_counts_the_resource_it_names():
    genotype = {"params": 10, "macs": 600}
    assert limit("params", 100)(genotype) and not limit("macs", 100)(genotype)
    assert (limit("params", 100).margin(genotype), limit("macs", 100).margin(genotype)) == (90, -500)


def test_a_refusal_names_the_limit_the_tries_and_the_cheapest():
    refused = iter([{"params": 4_000_000}, {"params": 3_600_000}, {"params": 5_000_000}])
    error = limit().refusal(refused)
    assert isinstance(error, RequestError)
    assert str(error) == (
        "constraint.limit=3.5e+06: none of 40 sampled architectures is within it; "
        "the cheapest of them has 3,600,000 params, raise the limit or constraint.tries"
    )


def test_without_a_limit_everything_is_feasible_and_nothing_has_a_margin():
    free = Unconstrained(context(Priced()), tries=3)
    assert free({"params": 10**12}) is True and free.margin({"params": 10**12}) is None and free.tries == 3


@pytest.mark.parametrize(
    "choice, resource",
    [
        (["constraint=none"], None),
        (["constraint=params", "constraint.limit=1"], "params"),
        (["constraint=macs", "constraint.limit=1"], "macs"),
        (["constraint=limit", "constraint.limit=1", "constraint.resource=macs"], "macs"),
    ],
)
def test_the_yaml_files_judge_the_genotypes_of_a_space(choice, resource):
    problem = Problem(*choice)
    constraint, genotype = problem.constraint(), problem.space.genotype(problem.arch(0))
    expected = None if resource is None else 1 - problem.space.cost(genotype, resource)
    assert constraint.margin(genotype) == expected
    assert constraint(genotype) is (resource is None) and constraint.tries >= 1


def test_a_limit_on_sums_over_neighbours_is_told_as_such():
    toy = Toy(Task("none", (), 0), widths=[2, 3, 4], layers=2, inputs=2, outputs=1)
    chain = Limit(context(toy), resource="params", limit=25, tries=1).chain()
    assert chain.limit == 25
    assert chain.tables == [[[15, 19, 23], [20, 25, 30], [25, 31, 37]]]


def test_other_limits_are_not():
    assert limit().chain() is None and Unconstrained(context(Priced()), tries=1).chain() is None


def toy(resource="params", at=25.0):
    space = Toy(Task("none", (), 0), widths=[2, 3, 4], layers=2, inputs=2, outputs=1)
    return Limit(context(space), resource=resource, limit=at, tries=40)


def test_a_limit_below_the_cheapest_architecture_is_refused_at_once():
    assert toy(at=15).extent == (15, 37)
    with pytest.raises(RequestError) as refused:
        toy(at=14.5)
    assert str(refused.value) == (
        "constraint.limit=14.5: no architecture of the space is within it; the cheapest has 15 params, raise the limit"
    )


@pytest.mark.parametrize("at, remarked", [(36.9, False), (37, True), (1e6, True)])
def test_a_limit_that_everything_meets_is_remarked_on(at, remarked):
    expected = f"constraint.limit={at:g} limits nothing: no architecture of the space has more than 37 params"
    assert toy(at=at).remark() == (expected if remarked else None)


@pytest.mark.parametrize("dearest, remarked", [(10, True), (101, False)])
def test_where_the_extent_is_not_known_a_limit_is_remarked_on_that_has_refused_none_of_many(dearest, remarked):
    made = limit(at=100)
    assert made.remark() is None and Unconstrained(context(Priced()), tries=1).remark() is None
    for params in (dearest, *[10] * 18):
        made({"params": params})
    assert made.remark() is None
    made({"params": 10})
    said = "constraint.limit=100 has refused none of 20 architectures; it may limit nothing"
    assert made.remark() == (said if remarked else None)
