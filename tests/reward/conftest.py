"""Rewards as their YAML files configure them."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl.config.build import make
from nasctl.config.settings import conf_dir


@pytest.fixture
def reward():
    """Return a function from a YAML's name and overrides to the reward."""

    def build(name, *overrides):
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            config = compose("config", [f"reward={name}", *overrides])
        return make(OmegaConf.to_container(config, resolve=True)["reward"])

    return build
