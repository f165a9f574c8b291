"""The plain reward."""

import pytest

from nasctl.errors import RequestError
from nasctl.reward.metric import Metric
from tests.small import Problem

METRICS = {"loss": 0.7, "error": 12.5, "accuracy": 0.875}


@pytest.mark.parametrize(
    "name, maximize, expected",
    [("accuracy", True, 0.875), ("accuracy", False, -0.875), ("error", False, -12.5), ("loss", True, 0.7)],
)
def test_it_is_the_metric_or_its_negative(name, maximize, expected):
    assert Metric(name=name, maximize=maximize)(METRICS) == expected


def test_an_unknown_metric_is_refused_with_the_nearest_and_all_names():
    with pytest.raises(RequestError) as refused:
        Metric(name="acuracy", maximize=True)(METRICS)
    assert str(refused.value) == (
        "reward.name: unknown 'acuracy'; did you mean 'accuracy'? choose from loss, error, accuracy"
    )


def test_the_presets_name_their_metric():
    assert Problem("reward=score").reward()({"score": 2.5}) == 2.5
    assert Problem().reward()({"score": 2.5, "accuracy": 0.5}) == 0.5
