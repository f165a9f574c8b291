"""The objects that every command builds from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from nasctl import walk
from nasctl.config import own_files
from nasctl.config.collaborators import trainable
from nasctl.config.configuration import Configuration
from nasctl.config.conformity import conforming
from nasctl.config.resources import Costs, build, costed
from nasctl.config.settings import Settings
from nasctl.core import Constraint, ConstraintContext, Resource, ResourceContext, SearchSpace, TestedDataset
from nasctl.errors import RequestError
from nasctl.space._training import with_training


@dataclass(frozen=True)
class Problem:
    """The data set, the space and the constraint of a command, on its device."""

    configuration: Configuration
    device: torch.device
    dataset: TestedDataset
    space: SearchSpace
    constraint: Constraint
    resources: Mapping[str, Resource]  # by name: those of limits, rewards and records

    @property
    def settings(self) -> Settings:
        """Return the settings of the root."""
        return self.configuration.settings


def build_problem(
    configuration: Configuration,
    device: torch.device,
    costs: Callable[[SearchSpace], Costs] = lambda space: {},
) -> Problem:
    """Build what every verb needs; nothing is read from disk yet. ``costs`` are those that a table gives."""
    settings = configuration.settings
    dataset = configuration.make("dataset", Path(settings.paths.data), device, settings.seed)
    space = configuration.make("space", dataset.task)
    check_walks(space)
    conforming(space.format, "space.format")
    nodes = configuration.plain["resources"]
    resources = build(nodes, ResourceContext(space, dataset.task, device), costs(space))
    space = costed(space, resources)
    choices = configuration.training_choices
    space = with_training(trainable(space), choices) if choices else space
    constraint = configuration.make("constraint", ConstraintContext(space, resources))
    return Problem(configuration, device, dataset, space, constraint, resources)


def check_walks(space: SearchSpace) -> None:
    """Raise `RequestError` if a walk along the first or the last options has no end, or a decision without options."""
    takes: tuple[walk.Take, ...] = (lambda prefix, open_: open_[0], lambda prefix, open_: open_[-1])
    try:
        for take in takes:
            walk.extend(space, (), take, walk.to_the_end)
    except RequestError as error:
        kind = type(space)
        raise RequestError(f"{own_files.yaml_of(f'{kind.__module__}.{kind.__qualname__}')}{error}") from error
