"""Data sets as their YAML files configure them, and a guard against waiting for the device."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

CONF = Path(__file__).parents[2] / "conf" / "dataset"


@pytest.fixture
def dataset(tmp_path):
    """Return a function from a YAML's name and changes of it to the data set; its data folder is tmp_path."""

    def make(name, *, seed=0, **changes):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            node = compose(name)
        node = OmegaConf.merge({"seed": seed}, {"dataset": node}, {"dataset": changes}).dataset
        return instantiate(node, _partial_=True, _convert_="all")(tmp_path, torch.device("cpu"), seed)

    return make


@pytest.fixture
def no_waiting(monkeypatch):
    """Let every call that would wait for a device raise."""

    def refuse(*_):
        raise AssertionError("waited for the device")

    for name in ("item", "cpu", "tolist", "__bool__", "__int__", "__float__", "__index__"):
        monkeypatch.setattr(torch.Tensor, name, refuse)
