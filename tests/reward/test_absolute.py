"""The absolute-value reward: the formula, its target from the constraint, bad input."""

import pytest

from nasctl.errors import RequestError

LIMITED = ("constraint=params", "constraint.limit=25")


@pytest.mark.parametrize("params, fine", [(25, 0.0), (20, 0.2), (30, 0.2), (50, 1.0), (0, 1.0)])
def test_either_side_of_the_target_is_fined_alike(reward, params, fine):
    made = reward("absolute", *LIMITED, "reward.beta=-2")
    assert made({"accuracy": 0.4, "params": params}) == pytest.approx(0.4 - 2 * fine, abs=1e-15)


def test_resource_and_target_are_the_constraints_unless_given(reward):
    assert reward("absolute", *LIMITED).resources == ("params",)
    assert reward("absolute", *LIMITED).target == 25
    made = reward("absolute", "reward.resource=macs", "reward.target=75e6", "reward.beta=-1")
    assert made.resources == ("macs",)
    assert made({"accuracy": 0.7, "macs": 60e6, "params": 1}) == pytest.approx(0.7 - 0.2)


def test_the_default_is_the_papers(reward):
    assert reward("absolute", *LIMITED).beta == -0.10


def test_a_metric_to_be_minimised_is_negated_before_the_fine(reward):
    made = reward("absolute", *LIMITED, "reward.name=loss", "reward.maximize=false", "reward.beta=-1")
    assert made({"loss": 0.3, "params": 50}) == pytest.approx(-1.3)


def test_a_reward_for_missing_the_target_is_refused(reward):
    with pytest.raises(RequestError, match=r"config.beta=2: input should be less than or equal to 0"):
        reward("absolute", *LIMITED, "reward.beta=2")
