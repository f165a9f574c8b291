"""The objects that every command builds from the configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from nasctl.config.configuration import Configuration
from nasctl.config.settings import Settings
from nasctl.config.table_costs import Costs, tabled
from nasctl.core import Constraint, SearchSpace, TestedDataset
from nasctl.resource.latency import Latency, timed


@dataclass(frozen=True)
class Problem:
    """The data set, the space and the constraint of a command, on its device."""

    configuration: Configuration
    device: torch.device
    dataset: TestedDataset
    space: SearchSpace
    constraint: Constraint
    latency: Latency | None = None  # where a limit or a reward is of it

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
    known = costs(space)
    measured = measures(configuration) and "latency" not in known
    latency = configuration.make("resource", space, dataset.task, device) if measured else None
    space = space if latency is None else timed(space, latency)
    space = tabled(space, known) if known else space
    constraint = configuration.make("constraint", space)
    return Problem(configuration, device, dataset, space, constraint, latency)


def measures(configuration: Configuration) -> bool:
    """Return whether a limit or a reward is of latency."""
    nodes = [configuration.plain.get(group) or {} for group in ("constraint", "reward")]
    return any("latency" in (node.get("resource"), *(node.get("limits") or ())) for node in nodes)
