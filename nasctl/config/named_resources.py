"""The resources that the settings of a problem name, and what their YAMLs hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nasctl.config.overrides import choices
from nasctl.errors import RequestError, unknown

RECORDED = ("params", "macs")
"""Resources that every record has a column for."""
MISSING = "???"  # what a choice leaves to the user, in a group that a verb does not build
NAMING = ("constraint", "reward", "estimator", "against")
"""Groups, and places of groups, whose settings may name resources."""


def named(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the resources that a problem needs by name, and the setting that names each."""
    pairs = [(str(name), f"{place}.{key}") for place in NAMING for key, name in _names(config.get(place) or {})]
    return dict([*((name, "record") for name in RECORDED), *pairs])


def _names(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield a setting of a node that names resources, and each of them."""
    if isinstance(node.get("resource"), str) and node["resource"] != MISSING:
        yield "resource", node["resource"]
    for setting in ("limits", "costs"):
        yield from ((setting, name) for name in node.get(setting) or ())


def nodes(config: Mapping[str, Any], folders: Sequence[Path]) -> dict[str, Mapping[str, Any]]:
    """Return the node of each resource that is named: the one chosen with its settings, others as their YAMLs are."""
    chosen = {config["choices"]["resource"]: config["resource"]}
    return {name: chosen.get(name) or _node(name, setting, folders) for name, setting in named(config).items()}


def _node(name: str, setting: str, folders: Sequence[Path]) -> Mapping[str, Any]:
    known = choices("resource", folders)
    if name not in known:
        raise unknown(setting, name, known)
    (file, *_) = [folder / "resource" / f"{name}.yaml" for folder in folders if name in choices("resource", [folder])]
    node = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(node, dict) or "_target_" not in node or "defaults" in node:
        raise RequestError(f"{file}: a resource's YAML holds a _target_ and its settings, without defaults; correct it")
    return node
