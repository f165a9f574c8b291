"""What a verb works with, and the hash that names its run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nasctl.config import compose as configuration
from nasctl.config.compose import Config, make
from nasctl.config.conformity import conforming
from nasctl.config.table_costs import Costs, tabled
from nasctl.core import Constraint, Dataset, SearchSpace
from nasctl.resource.latency import Latency, timed
from nasctl.terminal_text import folder_part


@dataclass(frozen=True)
class Scene:
    """What a verb works with."""

    config: Config
    device: torch.device
    dataset: Dataset
    space: SearchSpace
    constraint: Constraint
    latency: Latency | None = None  # where a limit or a reward is of it

    def name(self, *groups: str) -> str:
        """Return the chosen options of ``groups``, joined."""
        return "-".join(folder_part(self.config["choices"][group] or "none") for group in groups)


def set_up(config: Config, device: torch.device, costs: Callable[[SearchSpace], Costs] = lambda space: {}) -> Scene:
    """Build what every verb needs; nothing is read from disk yet. ``costs`` are those that a table gives."""
    dataset = conforming(make(config["dataset"], Path(config["paths"]["data"]), device, config["seed"]), "dataset")
    space = conforming(make(config["space"], dataset.task), "space")
    conforming(space.format, "space.format")
    known = costs(space)
    measured = measures(config) and "latency" not in known
    latency = make(config["resource"], space, dataset.task, device) if measured else None
    space = space if latency is None else timed(space, latency)
    space = tabled(space, known) if known else space
    return Scene(config, device, dataset, space, conforming(make(config["constraint"], space), "constraint"), latency)


def measures(config: Config) -> bool:
    """Return whether a limit or a reward is of latency."""
    nodes = [config.get(group) or {} for group in ("constraint", "reward")]
    return any("latency" in (node.get("resource"), *(node.get("limits") or ())) for node in nodes)


def signature(nodes: Mapping[str, Any], device: torch.device) -> str:
    """Return the hash that names a run: of its settings and the device's type, the seed apart."""
    text = json.dumps([configuration.without(nodes, configuration.NOT_SIGNED), device.type], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


AS_FAST = {"channels_last": True, "compile": False, "cuda_graph": False}
"""Settings of trainers that change speed and rounding alone, and what all recipes count as."""


def recipe(scene: Scene) -> dict[str, str]:
    """Return name and hash of how a network is trained: trainer, data and size, whatever makes it fast.

    A trainer's setting that is null is as good as none, so that runs from before it was there have the same recipe.
    """
    trainer = {name: value for name, value in scene.config["trainer"].items() if value is not None}
    nodes = {"trainer": {name: AS_FAST.get(name, value) for name, value in trainer.items()}}
    dataset = configuration.without(scene.config["dataset"], configuration.OF_SEARCH)
    space = scene.config["space"]  # one without forms is a single form
    nodes |= {"dataset": dataset, "final": space.get("final", space)}
    return {"recipe": signature(nodes, scene.device), "recipe_name": scene.name("trainer")}
