"""Declared qualities: the toy's nine losses, and the formula of the synthetic landscape."""

import math
import statistics
from itertools import product

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import Candidate, EstimatorContext, Task
from nasctl.errors import RequestError
from nasctl.reward.absolute import Absolute

CPU = torch.device("cpu")


@pytest.fixture
def pair():
    """Return a function from overrides to a space and its estimator."""

    def build(*overrides, seed=0):
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            config = OmegaConf.to_container(compose("config", list(overrides)), resolve=True)
        space = make(config["space"], Task("none", (), 0))
        return space, make(config["estimator"], EstimatorContext(space, None, CPU, seed, lambda values: None))

    return build


def losses(space, estimator, archs):
    return [estimator.evaluate(Candidate(arch), 0).metrics["loss"] for arch in archs]


# By the absolute-value reward itself an architecture over the limit is best up to a fine of 1
@pytest.mark.parametrize("beta, best", [(0, "4-4"), (0.5, "4-4"), (1, "3-4"), (2, "4-2"), (5, "4-2"), (10, "4-2")])
def test_the_toys_best_by_the_absolute_reward_is_infeasible_unless_the_fine_is_large(pair, beta, best):
    space, toy = pair("space=toy", "estimator=toy")
    fined = Absolute(name="accuracy", maximize=True, resource="params", target=25, beta=-beta)

    def rewarded(arch):
        cost = space.cost(space.genotype(arch), "params")
        return fined({**toy.look_up(arch), "params": cost})

    found = max(product(range(3), repeat=2), key=rewarded)
    assert space.format.notation(space.genotype(found)) == best
    assert (space.cost(space.genotype(found), "params") <= 25) == (beta >= 2)


def test_the_toys_losses_are_the_published_ones(pair):
    space, toy = pair("space=toy", "estimator=toy")
    expected = [0.9, 0.9, 0.66, 0.9, 0.66, 0.3, 0.6, 0.3, 0.1]
    assert losses(space, toy, product(range(3), repeat=2)) == pytest.approx(expected, abs=1e-15)
    metrics = toy.evaluate(Candidate((2, 0)), 0).metrics
    assert metrics == pytest.approx({"loss": 0.6, "accuracy": 0.4, "error": 60.0})


def test_an_architecture_without_a_loss_is_refused(pair):
    _, toy = pair("space=toy", "space.widths=[2,5]", "estimator=toy")
    with pytest.raises(RequestError) as refused:
        toy.evaluate(Candidate((1, 0)), 0)
    assert str(refused.value) == "estimator.losses: has no loss for 5-2; add it or choose space=toy"


def test_without_spread_the_error_is_the_formula(pair):
    _, made = pair(
        "space=toy", "estimator=synthetic", "estimator.resource=params", "estimator.reference=15",
        "estimator.floor=10", "estimator.span=40", "estimator.exponent=0.5", "estimator.spread=0",
    )  # fmt: skip
    cheapest, dearest = (made.evaluate(Candidate(arch), 0).metrics["error"] for arch in ((0, 0), (2, 2)))
    assert cheapest == pytest.approx(50) and dearest == pytest.approx(10 + 40 * math.sqrt(15 / 37))


def test_the_landscape_is_that_of_its_own_seed_and_not_of_the_search(pair):
    chosen = ("space=toy", "estimator=synthetic", "estimator.resource=params", "estimator.reference=15")
    archs = list(product(range(3), repeat=2))
    first, other_search = (losses(*pair(*chosen, seed=seed), archs) for seed in (0, 1))
    other_landscape = losses(*pair(*chosen, "estimator.quality_seed=1"), archs)
    assert first == other_search
    assert all(a != b for a, b in zip(first, other_landscape, strict=True))


def test_differences_between_architectures_are_standard_normal(pair):
    chosen = ("space=toy", "space.layers=6", "estimator=synthetic", "estimator.span=0", "estimator.floor=50")
    errors = [50 + 100 * (loss - 0.5) for loss in losses(*pair(*chosen), product(range(3), repeat=6))]
    assert abs(statistics.fmean(errors) - 50) < 4 * 1.5 / math.sqrt(729)
    assert statistics.stdev(errors) == pytest.approx(1.5, rel=0.1)


def test_an_error_stays_within_its_bounds(pair):
    chosen = ("space=toy", "estimator=synthetic", "estimator.span=0", "estimator.spread=1000")
    assert {0.0, 1.0} == {round(loss, 6) for loss in losses(*pair(*chosen), product(range(3), repeat=2))}
