"""How a configuration differs from the experiment that it names, as conf/ ships it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

GROUP = "experiment"
FREE = (
    *("seed", "from", "resume", "traceback", "paths", "run_dir", "checkpoint", "device", "threads", "label"),
    *("form", "format", "dry_run", "record_every", "curve", "correlation", "resource", "resources", "against"),
    "executor",
    *("choices", "overrides", "cut"),
)
"""Settings of the root that an experiment leaves to the user: seeds, places, and how a run is shown."""
PLACES = ("download", "workers", "root", "cache", "channels_last", "compile", "cuda_graph")
"""Settings of a group, at any depth, that touch no result, or its rounding alone."""
NONE = "no experiment of conf/ was given"
_ABSENT = "nothing"


def asked(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that name an experiment."""
    return [override for override in overrides if name(override).split("/")[0] == GROUP]


def shipped(experiments: Sequence[str], conf: Path) -> bool:
    """Return whether ``experiments`` are some and all of them are files of ``conf``."""
    files = [conf / name(one) / f"{one.partition('=')[2]}.yaml" for one in experiments]
    return bool(files) and all(file.is_file() for file in files)


def cut(config: Mapping[str, Any], reference: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, str]:
    """Return how ``config`` differs from ``reference``, the experiment alone: a sentence part by setting.

    A group's choice that was given, such as ``+debug=smoke``, stands for the settings that it changes.
    """
    ours, theirs = dict(_leaves(config)), dict(_leaves(reference))
    changed = {key: (ours.get(key, _ABSENT), theirs.get(key, _ABSENT)) for key in {**ours, **theirs}}
    changed = {key: both for key, both in changed.items() if both[0] != both[1]}
    choices = [override for override in overrides if _is_choice(override, config)]
    given = [name(override) for override in overrides if override not in choices]
    told = {
        key: f"{key}={_text(own)} instead of {_text(other)}"
        for key, (own, other) in changed.items()
        if not choices or any(key == known or key.startswith(f"{known}.") for known in given)
    }
    rest = [key for key in changed if key not in told]
    return {key: ", ".join(choices) for key in rest} | told if changed else {}


def name(override: str) -> str:
    """Return what an override sets."""
    return override.lstrip("+~").partition("=")[0].partition("@")[0]


def _is_choice(override: str, config: Mapping[str, Any]) -> bool:
    """Return whether an override chooses an option of a group, other than an experiment."""
    key = name(override)
    chosen = key in (config.get("choices") or {}) or (key not in config and "." not in key)
    return chosen and key.split("/")[0] not in (GROUP, "hydra")


def _leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key in (PLACES if prefix else FREE):
            continue
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _text(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
