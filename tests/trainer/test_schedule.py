"""The learning rate: its curves, warm-up and warm restarts."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest

from nasctl.trainer._schedule import Place
from nasctl.trainer.schedule.cosine import Cosine
from nasctl.trainer.schedule.exponential import Exponential
from nasctl.trainer.schedule.linear import Linear
from tests.small import Problem

CURVES = {"cosine": Cosine, "linear": Linear, "exponential": Exponential}


def rates(epochs, steps=1, curve="cosine", lr=0.5, **settings):
    """Return the rate of every step."""
    off = {
        "lr_min": 0.1,
        "by": "epoch",
        "warmup": 0.0,
        "restarts": 0,
        "restart_factor": 1,
    }
    schedule = CURVES[curve](lr, **(off | settings))
    return [schedule.rate(Place(position, steps, epochs)) for position in range(epochs * steps)]


@pytest.mark.parametrize(
    "curve, middle, end",
    [("cosine", 0.3, 0.1), ("linear", 0.3, 0.1), ("exponential", math.sqrt(0.5 * 0.1), 0.1)],
)
def test_a_curve_falls_from_lr_to_lr_min(curve, middle, end):
    found = rates(1000, curve=curve)
    assert found[0] == 0.5 and found[500] == pytest.approx(middle)
    assert all(a > b for a, b in pairwise(found)) and end < found[-1] < end * 1.01


def test_curves_differ_between_their_ends():
    quarter = {curve: rates(4, curve=curve)[1] for curve in ("cosine", "linear", "exponential")}
    assert quarter["linear"] == pytest.approx(0.4)
    assert quarter["cosine"] == pytest.approx(0.1 + 0.2 * (1 + math.cos(math.pi / 4)))
    assert quarter["exponential"] == pytest.approx(0.5 * 0.2**0.25)


@pytest.mark.parametrize("by, changes", [("epoch", 4), ("step", 12)])
def test_the_rate_changes_by_epoch_or_by_step(by, changes):
    found = rates(4, steps=3, by=by)
    assert len(set(found)) == changes and found[::3] == rates(4)


def test_the_warm_up_grows_linearly_to_lr_and_the_curve_follows_it():
    found = rates(10, warmup=0.3)
    assert found[:3] == pytest.approx([0.5 / 3, 1 / 3, 0.5])
    assert found[3:] == pytest.approx(rates(7))


def test_the_warm_up_by_step():
    assert rates(2, steps=4, warmup=0.5, by="step")[:5] == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5])


@pytest.mark.parametrize("epochs, restarts", [(310, 4), (630, 5)])
def test_the_restarts_of_enas(epochs, restarts):
    """T_0 = 10 and T_mult = 2: cycles of 10, 20, 40 ... epochs (https://arxiv.org/abs/1802.03268, section 3.2)."""
    lengths = [10 * 2**i for i in range(restarts + 1)]
    assert sum(lengths) == epochs
    found = rates(epochs, lr=0.05, lr_min=0.001, restarts=restarts, restart_factor=2)
    assert found == pytest.approx([rate for length in lengths for rate in rates(length, lr=0.05, lr_min=0.001)])
    starts = [0, *(i for i, (a, b) in enumerate(pairwise(found), start=1) if b > a)]
    assert starts == [sum(lengths[:i]) for i in range(restarts + 1)]
    assert all(found[start] == 0.05 for start in starts)


@pytest.mark.parametrize("restarts, factor", [(2, 1), (3, 3), (6, 2)])
def test_no_restart_is_missed_by_rounding(restarts, factor):
    lengths = [factor**i for i in range(restarts + 1)]
    found = rates(7 * sum(lengths), restarts=restarts, restart_factor=factor)
    assert found.count(0.5) == restarts + 1


def test_a_shortened_training_passes_through_the_whole_schedule():
    short, long = (rates(epochs, warmup=0.2, restarts=1, restart_factor=3) for epochs in (10, 100))
    assert short[2:] == pytest.approx(long[20::10])
    assert min(short[2:]) < 0.2


def test_drop_path_follows_the_same_clock():
    assert Problem("trainer.schedule.by=step").trainer().drop_path_by == "step"
    assert Place(5, 3, 4).done("step") == Fraction(5, 12)
    assert Problem().trainer().drop_path_by == "epoch"
    assert Place(5, 3, 4).done("epoch") == Fraction(3, 12)


def test_the_imagenet_recipe_loses_three_percent_an_epoch():
    trainer = Problem("trainer=darts_imagenet", "trainer.epochs=250").trainer()
    found = [trainer.schedule.rate(Place(epoch, 1, 250)) for epoch in range(250)]
    assert [b / a for a, b in pairwise(found)] == pytest.approx([0.97] * 249, rel=1e-5)
    assert found[0] == 0.1
