"""The hash that names a run, and the one that names how a network is trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from nasctl.config.problem import Problem
from nasctl.config.resources import Tabled

NOT_SIGNED = ("download", "workers", "root")
"""Settings of a group that do not touch results."""
OF_SEARCH = ("search_split", "architecture_batches", "architecture")
"""Settings of a data set that say which images a search sees; work and the final training do not depend on them."""


def without(node: Any, left_out: Sequence[str]) -> Any:
    """Return nested settings less those of some names."""
    if isinstance(node, Mapping):
        return {key: without(value, left_out) for key, value in node.items() if key not in left_out}
    return node


def signature(nodes: Mapping[str, Any], device: torch.device) -> str:
    """Return the hash that names a run: of its settings and the device's type, the seed apart."""
    text = json.dumps([without(nodes, NOT_SIGNED), device.type], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def nodes_of_resources(problem: Problem) -> dict[str, Any]:
    """Return the nodes of the resources that have settings, which a signature holds; others are told by their name."""
    own = [name for name, resource in problem.resources.items() if not isinstance(resource, Tabled)]
    nodes = {name: problem.configuration.plain["resources"][name] for name in own}
    with_settings = {name: node for name, node in nodes.items() if len(node) > 1}
    return {"resources": with_settings} if with_settings else {}


AS_FAST = {"channels_last": True, "compile": False, "cuda_graph": False}
"""Settings of trainers that change speed and rounding alone, and what all recipes count as."""


def recipe(problem: Problem) -> dict[str, str]:
    """Return name and hash of how a network is trained: trainer, data and size, whatever makes it fast.

    A trainer's setting that is null is as good as none, so that runs from before it was there have the same recipe.
    """
    plain = problem.configuration.plain
    trainer = {name: value for name, value in plain["trainer"].items() if value is not None}
    nodes = {"trainer": {name: AS_FAST.get(name, value) for name, value in trainer.items()}}
    space = plain["space"]  # one without forms is a single form
    nodes |= {"dataset": without(plain["dataset"], OF_SEARCH), "final": space.get("final", space)}
    return {"recipe": signature(nodes, problem.device), "recipe_name": problem.configuration.name("trainer")}
