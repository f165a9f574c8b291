"""Strategies as their YAML files configure them."""

from copy import deepcopy
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
GROUPS = (path for path in Path(conf_dir(), "strategy").rglob("*") if path.is_dir())
PARTS = {str(path.relative_to(conf_dir() / "strategy")) for path in GROUPS}
NAMES = sorted(path.stem for path in Path(conf_dir(), "strategy").glob("*.yaml"))


SLOW = {"bayesian", "tpe", "enas_paper", "enas_code", "nas_rl", "ppo"}
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
def composed(name, *choices):
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        lines = [f"strategy={name}", *choices, "budget.trials=130"]
        return OmegaConf.to_container(compose("config", lines).strategy, resolve=True)


def changed(node, changes):
    """Return a strategy's node with settings changed, each wherever its name stands among the parts."""
    node = deepcopy(node)
    for name, value in changes.items():
        assert _set(node, name, value), f"no setting {name}"
    return node


def _set(node, name, value):
    if name in node:
        node[name] = node[name] | value if isinstance(value, dict) and isinstance(node[name], dict) else value
        return True
    return any(_set(part, name, value) for part in node.values() if isinstance(part, dict))


@pytest.fixture
def strategy():
    """Return a function from a YAML's name, a space, a seed, a constraint and changes to the strategy.

    A change is a setting, or the choice of a part where its name is that of a group of parts.
    """

    def build(name, space=None, seed=0, feasible=None, **changes):
        choices = {key: changes.pop(key) for key in PARTS & changes.keys() if isinstance(changes[key], str)}
        node = composed(name, *(f"strategy/{key}={choice}" for key, choice in sorted(choices.items())))
        return make(changed(node, changes), space or Table(), feasible or Limit(), seed)

    return build


@pytest.fixture
def table():
    return Table()
