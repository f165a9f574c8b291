"""What a verb works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from nasctl.config.build import make
from nasctl.config.conformity import conforming
from nasctl.config.resources import Costs, build, costed
from nasctl.config.settings import Config
from nasctl.core import Constraint, ConstraintContext, Dataset, Resource, ResourceContext, SearchSpace
from nasctl.space._training import with_training
from nasctl.terminal_text import folder_part


@dataclass(frozen=True)
class Scene:
    """What a verb works with."""

    config: Config
    device: torch.device
    dataset: Dataset
    space: SearchSpace
    constraint: Constraint
    resources: Mapping[str, Resource]  # by name: those of limits, rewards and records

    def name(self, *groups: str) -> str:
        """Return the chosen options of ``groups``, joined."""
        return "-".join(folder_part(self.config["choices"][group] or "none") for group in groups)


def set_up(config: Config, device: torch.device, costs: Callable[[SearchSpace], Costs] = lambda space: {}) -> Scene:
    """Build what every verb needs; nothing is read from disk yet. ``costs`` are those that a table gives."""
    dataset = conforming(make(config["dataset"], Path(config["paths"]["data"]), device, config["seed"]), "dataset")
    space = conforming(make(config["space"], dataset.task), "space")
    resources = build(config["resources"], ResourceContext(space, dataset.task, device), costs(space))
    space = costed(space, resources)
    space = with_training(space, config["training_choices"]) if config["training_choices"] else space
    constraint = conforming(make(config["constraint"], ConstraintContext(space, resources)), "constraint")
    return Scene(config, device, dataset, space, constraint, resources)
