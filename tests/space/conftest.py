"""Spaces as their YAML files configure them."""

from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import Task

IMAGES = Task("image_classification", (3, 32, 32), 10)
SMALL = {"channels": 4, "layers": 3, "cells": 1}  # of whichever parts a form has

OF_ROWS = {"ffn"}  # need another kind of task; their own tests hold them to the contract
MANUAL = {"lstm", "awd_lstm", "rhn"}  # of text, hand-made; likewise
OF_TEXT = {"rnn_darts", "rnn_enas", "rnn_enas_released", "rnn_nas_rl"}  # test_language_contract.py

WITHOUT_ROWS = {
    "toy",
    "nats_size",
    "enas_macro",
    "enas_micro",
}  # cannot be relaxed; their own tests hold them to what is left of the contract


def pytest_generate_tests(metafunc):
    """Run a test that takes ``space_name`` once for every YAML of the group."""
    if "space_name" in metafunc.fixturenames:
        names = {path.stem for path in Path(conf_dir(), "space").glob("*.yaml")} - WITHOUT_ROWS - OF_ROWS
        metafunc.parametrize("space_name", sorted(names - MANUAL - OF_TEXT))
    if "text_space" in metafunc.fixturenames:
        metafunc.parametrize("text_space", sorted(OF_TEXT))


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
