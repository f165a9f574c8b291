"""Spaces as their YAML files configure them."""

from functools import cache

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import Task

IMAGES = Task("image_classification", (3, 32, 32), 10)
SMALL = {"channels": 4, "layers": 3, "cells": 1}  # of whichever parts a form has


@cache
def composed(name):
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return OmegaConf.to_container(compose("config", [f"space={name}"]).space, resolve=True)


@pytest.fixture
def space():
    """Return a function from a YAML's name, a task and changes of the YAML's nodes to the space."""

    def build(name, task=IMAGES, *, small=False, **changes):
        node = dict(composed(name))
        for key in {"search", "final"} & node.keys():
            shrunk = {part: value for part, value in SMALL.items() if small and part in node[key]}
            node[key] = node[key] | shrunk | changes.pop(key, {})
        return make(node | changes, task)

    return build
