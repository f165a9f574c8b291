"""The product rewards: the published formulas, and what a product cannot rank."""

import pytest

from nasctl.errors import RequestError

LIMITED = ("constraint=macs", "constraint.limit=75")


def mnasnet(quality, cost, target):
    return quality * (cost / target) ** -0.07


def hard(quality, cost, target):
    return quality * min((cost / target) ** -1.0, 1)


@pytest.mark.parametrize("name, formula", [("mnasnet", mnasnet), ("mnasnet_hard", hard)])
@pytest.mark.parametrize("cost", [10, 75, 76, 300])
def test_presets_are_the_published_formulas(reward, name, formula, cost):
    made = reward(name, *LIMITED)
    assert made.resources == ("macs",)
    assert made({"accuracy": 0.6, "macs": cost}) == pytest.approx(formula(0.6, cost, 75), rel=1e-12)


def test_twice_the_cost_is_worth_five_percent_of_accuracy(reward):
    made = reward("mnasnet", *LIMITED)
    assert made({"accuracy": 0.5, "macs": 75}) == pytest.approx(made({"accuracy": 0.525, "macs": 150}), rel=1e-3)


def test_one_exponent_holds_up_to_the_target_and_the_other_above(reward):
    made = reward("power", *LIMITED, "reward.alpha=-1", "reward.beta=-2")
    assert [made({"accuracy": 1.0, "macs": macs}) for macs in (37.5, 75, 150)] == [2.0, 1.0, 0.25]


def test_a_negative_quality_is_refused(reward):
    made = reward("mnasnet", *LIMITED, "reward.name=loss", "reward.maximize=false")
    with pytest.raises(RequestError) as refused:
        made({"loss": 0.3, "macs": 75})
    assert str(refused.value) == (
        "reward.name=loss: a quality of -0.3 cannot be multiplied by a power of the cost; "
        "name a metric that is positive and larger when better, or choose reward=absolute"
    )


@pytest.mark.parametrize("setting", ["alpha", "beta"])
def test_a_positive_exponent_is_refused(reward, setting):
    with pytest.raises(RequestError, match=f"config.{setting}=0.5: input should be less than or equal to 0"):
        reward("mnasnet", *LIMITED, f"reward.{setting}=0.5")
