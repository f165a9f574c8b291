"""What the benchmarks of networks share: the space, random images, and a step of training."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import Metrics, SearchSpace, Task

DEVICE = torch.device(os.environ.get("DEVICE", "cpu"))
CLASSES = 10
TASK = Task("image_classification", (3, 32, 32), CLASSES)
LAYOUTS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


def space(name: str = "darts") -> SearchSpace:
    """Return a space as shipped; that of DARTS has 16 channels and 8 cells in search."""
    return make(yaml.safe_load((conf_dir() / "space" / f"{name}.yaml").read_text()), TASK)


def composed(*overrides: str) -> Mapping[str, Any]:
    """Return the estimator's node of a configuration."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = OmegaConf.to_container(compose("config", list(overrides)), resolve=True)
    return config["estimator"]  # type: ignore[call-overload, index, no-any-return]


class Images:
    """A data set of one batch of random images for each split; satisfies the parts of `Dataset` that a search uses."""

    task = TASK

    def __init__(self, batch: int) -> None:
        draw = torch.Generator().manual_seed(0)
        self._x = torch.randn(2, batch, *TASK.input_shape, generator=draw).to(DEVICE)
        self._y = torch.randint(CLASSES, (2, batch), generator=draw).to(DEVICE)

    def train(self) -> Batch:
        return Batch(self._x[0], self._y[0])

    def val(self) -> Batch:
        return Batch(self._x[1], self._y[1])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(outputs, targets)

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return {"loss": cross_entropy(outputs, targets, reduction="sum")}

    def metrics(self, sums: Metrics, examples: int) -> Metrics:
        return {"loss": sums["loss"] / examples}


class Batch:
    """A split of one batch."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.y)

    def batch(self, size: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        return self.x, self.y


class Descent:
    """Steps of SGD with momentum and clipping on the weights of a network, in a memory layout."""

    def __init__(self, network: nn.Module, layout: str) -> None:
        self.network = network.to(DEVICE).to(memory_format=LAYOUTS[layout])
        self.optimizer = torch.optim.SGD(network.parameters(), 0.025, momentum=0.9, weight_decay=3e-4)

    def step(self, loss: Callable[[], Tensor]) -> None:
        """Take one step down the gradient of ``loss()``."""
        self.optimizer.zero_grad(set_to_none=True)
        loss().backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()


Rows = Iterator[tuple[str, float, float, float]]
"""Name, our figure, the plain one, and plain / ours."""
