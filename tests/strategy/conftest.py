"""Strategies as their YAML files configure them."""

from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl.config.build import make, target
from nasctl.config.settings import conf_dir
from nasctl.strategy._black_box import BlackBox
from tests.marked import slow
from tests.strategy.table import Limit, Table

WALKING = {"enumeration"}  # do not draw what they ask, so no number of tries ends them
NAMES = sorted(path.stem for path in Path(conf_dir(), "strategy").glob("*.yaml"))


SLOW = {"bayesian", "tpe", "enas_paper", "enas_code", "nas_rl"}
"""What refits a model at each of a contract's turns, and presets of an LSTM that takes long too."""


def pytest_generate_tests(metafunc):
    """Run a test that takes ``name`` for every YAML, ``black_box`` for those that keep the best of their trials."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", slow(NAMES, *SLOW))
    if "black_box" in metafunc.fixturenames:
        names = [name for name in NAMES if issubclass(target(composed(name)), BlackBox)]
        metafunc.parametrize("black_box", slow(names, *SLOW & set(names)))
    if "drawing" in metafunc.fixturenames:
        names = [n for n in NAMES if n not in WALKING and issubclass(target(composed(n)), BlackBox)]
        metafunc.parametrize("drawing", slow(names, *SLOW & set(names)))


@cache
def composed(name):
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return OmegaConf.to_container(
            compose("config", [f"strategy={name}", "budget.trials=130"]).strategy, resolve=True
        )


@pytest.fixture
def strategy():
    """Return a function from a YAML's name, a space, a seed, a constraint and changes to the strategy."""

    def build(name, space=None, seed=0, feasible=None, **changes):
        return make(composed(name) | changes, space or Table(), feasible or Limit(), seed)

    return build


@pytest.fixture
def table():
    return Table()
