"""Strategies as their YAML files configure them, and a search by each that tests share."""

from copy import deepcopy
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl.config.build import make, target
from nasctl.config.settings import conf_dir
from nasctl.strategy._black_box import BlackBox
from tests.marked import slow
from tests.small import through_a_file
from tests.strategy.table import Limit, Table, play

STEPS = 130  # turns; more than the population of evolution, so that it mutates
STATES = (1, 60, 115)

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


def build(name, space=None, seed=0, feasible=None, **changes):
    """Return the strategy of a YAML's name.

    A change is a setting, or the choice of a part where its name is that of a group of parts.
    """
    choices = {key: changes.pop(key) for key in PARTS & changes.keys() if isinstance(changes[key], str)}
    node = composed(name, *(f"strategy/{key}={choice}" for key, choice in sorted(choices.items())))
    return make(changed(node, changes), space or Table(), feasible or Limit(), seed)


@pytest.fixture
def strategy():
    return build


class Game:
    """A strategy that has played a whole search on the table; ``states`` holds its state before some turns."""

    def __init__(self, name, seed=0):
        self.strategy, table, self.seen, self.states = build(name, Table(), seed), Table(), [], {}
        for start, end in pairwise([0, *STATES, STEPS]):
            self.states[start] = through_a_file(self.strategy.state_dict())
            self.seen += play(self.strategy, table, end - start, start)
        self.states[STEPS] = through_a_file(self.strategy.state_dict())


@pytest.fixture(scope="module")
def played():
    """Return a function from a YAML's name to its `Game`, which is played once."""
    return cache(Game)


@pytest.fixture
def table():
    return Table()
