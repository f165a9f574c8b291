"""What a verb works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from nasctl.config.build import make
from nasctl.config.conformity import conforming
from nasctl.config.settings import Config
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
