"""Several limits: all of them count, the scarcest gives the margin, and a refusal names what is in the way."""

import pytest

from nasctl.constraint.several import Several
from nasctl.errors import RequestError
from tests.constraint.test_limit import Priced, context


def several(**limits):
    return Several(context(Priced()), limits=limits, tries=40)


@pytest.mark.parametrize(
    "params, macs, feasible, margin",
    [(50, 600, True, 0.4), (100, 600, True, 0.0), (101, 600, False, -0.01), (50, 1500, False, -0.5)],
)
def test_all_limits_count_and_the_scarcest_gives_the_margin(params, macs, feasible, margin):
    made, genotype = several(params=100, macs=1000), {"params": params, "macs": macs}
    assert made(genotype) is feasible and made.margin(genotype) == pytest.approx(margin)


def test_a_refusal_names_the_limit_that_none_meets():
    refused = [{"params": 5000, "macs": 10}, {"params": 4000, "macs": 10}]
    assert str(several(macs=1000, params=100).refusal(iter(refused))) == (
        "constraint.limits.params=100: none of 40 sampled architectures is within it; "
        "the cheapest of them has 4,000 params, raise the limit or constraint.tries"
    )


def test_a_refusal_says_where_limits_only_conflict():
    refused = [{"params": 5000, "macs": 10}, {"params": 40, "macs": 2000}]
    assert str(several(macs=1000, params=100).refusal(iter(refused))) == (
        "constraint.limits: each is met by some of 40 sampled architectures, but none meets all of "
        "1000 macs, 100 params; the nearest has 2,000 macs, 40 params, raise one of the limits or constraint.tries"
    )


def test_only_a_single_limit_is_a_chain():
    class Chained(Priced):
        additive = ("params", "macs")

        def chain(self, name):
            return [[[1.0, 2.0], [3.0, 4.0]]]

    assert Several(context(Chained()), limits={"params": 2}, tries=1).chain().limit == 2
    both = Several(context(Chained()), limits={"params": 2, "macs": 9}, tries=1)
    assert both.chain() is None
    assert both.remark() == "constraint.limits.macs=9 limits nothing: no architecture of the space has more than 4 macs"
    with pytest.raises(
        RequestError,
        match=r"constraint\.limits\.macs=0\.5: no architecture of the space is within it; the cheapest has 1 macs",
    ):
        Several(context(Chained()), limits={"params": 2, "macs": 0.5}, tries=1)
