"""What the files of a run directory hold: which keys, and values of which kind.

A check takes a value and the name of its place, and raises `FaultError`. Keys that are not named here are free, so
that runs of other versions can be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nasctl.runs.plain import FaultError, is_name, short

Check = Callable[[Any, str], None]

LARGEST = 2**63  # of a whole number that is counted with
LARGEST_FIGURE = 1e100  # whose square can still be averaged
STATES = ("running", "finished", "failed", "interrupted")


def _kind(accepts: Callable[[Any], bool], name: str) -> Check:
    def check(value: Any, place: str) -> None:
        if not accepts(value):
            raise FaultError(f"{place or 'it'} is {short(value)}, not {name}")

    return check


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return abs(value) < LARGEST_FIGURE or not math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST


text = _kind(lambda value: isinstance(value, str), "text")
scalar = _kind(lambda value: isinstance(value, str | int | float), "text or a number")
flag = _kind(lambda value: isinstance(value, bool), "true or false")
whole = _kind(_is_whole, "a whole number")
positive = _kind(lambda value: _is_whole(value) and value > 0, "a whole number above 0")
figure = _kind(_is_number, "a number")  # as measured, also of a network that diverged
number = _kind(lambda value: _is_number(value) and math.isfinite(value), "a finite number")
amount = _kind(lambda value: _is_number(value) and math.isfinite(value) and value >= 0, "a finite number from 0 on")
size = _kind(lambda value: isinstance(value, int) and value > 0, "a number of architectures")
state = _kind(lambda value: value in STATES, f"one of {', '.join(STATES)}")


def optional(check: Check) -> Check:
    """Accept null, too."""

    def check_known(value: Any, place: str) -> None:
        if value is not None:
            check(value, place)

    return check_known


def listed(check: Check) -> Check:
    """Accept a list of such values."""

    def check_list(value: Any, place: str) -> None:
        if not isinstance(value, list):
            raise FaultError(f"{place or 'it'} is {short(value)}, not a list")
        for index, item in enumerate(value):
            check(item, f"{place}[{index}]")

    return check_list


def mapping(check: Check) -> Check:
    """Accept a mapping of names to such values."""

    def check_mapping(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise FaultError(f"{place or 'it'} is {short(value)}, not a mapping")
        for key, item in value.items():
            if not isinstance(key, str):
                raise FaultError(f"{place or 'it'} has the key {short(key)}, not text")
            check(item, f"{place}.{key}".lstrip("."))

    return check_mapping


def anything(value: Any, place: str) -> None:
    """Accept any plain data."""


def plain_setting(value: Any, place: str) -> None:
    """Accept a single value."""
    if isinstance(value, dict | list):
        raise FaultError(f"{place or 'it'} is {short(value)}, not a single value")


def record(known: Mapping[str, Check], needed: Sequence[str] = ()) -> Check:
    """Accept a mapping with the keys ``needed``; those that are ``known`` hold what they should."""

    def check_record(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise FaultError(f"{place or 'it'} is {short(value)}, not a mapping")
        lack(value, needed, place)
        for key, check in known.items():
            if key in value:
                check(value[key], f"{place}.{key}".lstrip("."))

    return check_record


def lack(value: Mapping[str, Any], needed: Sequence[str], place: str = "") -> None:
    """Raise `FaultError` if a mapping lacks a key."""
    missing = [key for key in needed if key not in value]
    if missing:
        raise FaultError(f"{place} lacks {', '.join(missing)}".strip())


def given(value: Mapping[str, Any], needed: Sequence[str]) -> None:
    """Raise `FaultError` if a mapping lacks a key, or has null there."""
    if needed:
        lack({key: item for key, item in value.items() if item is not None}, needed)


def _retrained(value: Any, place: str) -> None:
    if value.get("verb") == "retrain":
        lack(value, ("source", "recipe"))


def _limited(value: Any, place: str) -> None:
    if "limit" in value and not value.get("limits"):
        lack(value, ("resource",), place)


def both(*checks: Check) -> Check:
    """Accept what all ``checks`` accept."""

    def check_all(value: Any, place: str) -> None:
        for check in checks:
            check(value, place)

    return check_all


_ARCH = listed(whole)
_METRICS = mapping(figure)
_CHOICES = mapping(optional(_kind(is_name, "the name of a choice")))
_AMOUNTS = mapping(amount)  # by phase
_DEVICE = record({"type": text, "name": optional(text), "count": optional(positive)})
_FREE = mapping(anything)
_SPREAD = mapping(mapping(figure))  # by metric and statistic

_STATUS = record(
    {
        "status": state,
        "reason": optional(text),
        "files": optional(mapping(record({"size": whole, "hash": text}, ("size", "hash")))),
    },
    ("status",),
)
_CONSTRAINT = both(
    record({"limits": optional(mapping(number)), "resource": optional(text), "limit": number}),
    _limited,
)
_CONFIG = record(
    {
        **dict.fromkeys(("verb", "signature"), text),
        **dict.fromkeys(("space", "strategy", "estimator", "dataset", "trainer", "resource"), optional(_FREE)),
        "seed": whole,
        "choices": _CHOICES,
        "label": optional(scalar),
        "threads": optional(positive),
        "published": optional(mapping(text)),
        "constraint": optional(_CONSTRAINT),
        "reward": optional(record({"name": optional(text), "maximize": flag})),
        "paths": mapping(text),
        "budget": optional(_FREE),
        "correlation": optional(_FREE),
    }
)
_WAY = {  # of a search, in its result and in what later runs say of their source
    "signature": optional(text),
    "method": optional(text),
    "seed": optional(whole),
    "device": optional(_DEVICE),
    "space_size": optional(size),
    "ops": optional(number),
    "cost": optional(_AMOUNTS),
    "cpu_seconds": optional(mapping(optional(amount))),
    "work": optional(_AMOUNTS),
    "budget": optional(_FREE),
}
_SOURCE = record(
    {**_WAY, "kind": text, "name": text, "choices": optional(_CHOICES), "label": optional(scalar)}, ("kind", "name")
)
_TRAJECTORY = listed(record({"turn": whole, "probabilities": mapping(mapping(number))}, ("turn", "probabilities")))
_RESULT = both(
    record(
        {
            **_WAY,
            **dict.fromkeys(("verb", "signature", "error_kind", "recipe"), text),
            "recipe_name": optional(text),
            "seed": whole,
            "error": optional(figure),
            "metrics": _METRICS,
            "params": optional(amount),
            "macs": optional(amount),
            "cost": _AMOUNTS,
            "device": _DEVICE,
            "feasible": optional(flag),
            "margin": optional(figure),
            "trials": whole,
            "repeats": positive,
            "replicas": record({"metrics": _SPREAD, "best_found": optional(whole), "curve": listed(_FREE)}),
            "trajectory": _TRAJECTORY,
            "weights": record({"held_out": _METRICS}),
            "source": _SOURCE,
            "sources": listed(_FREE),
            "correlation": _FREE,
            "latency": _FREE,
            "costs": optional(mapping(figure)),
        },
        ("verb", "signature", "seed", "error", "error_kind", "params", "macs", "cost", "device"),
    ),
    _retrained,
)
_TRIAL = record(
    {
        "index": whole,
        "arch": _ARCH,
        "relaxed": flag,
        "reward": optional(figure),
        "metrics": optional(mapping(optional(figure))),
        "costs": optional(mapping(optional(figure))),
        "fidelity": optional(amount),
        **dict.fromkeys(("continues", "inherits"), optional(whole)),
        "curve": optional(listed(mapping(optional(figure)))),
        "work": optional(amount),
        "error": optional(text),
        "facts": mapping(figure),
    }
)
_POLICY = record(
    {"mode": mapping(text), "mode_feasible": flag, "feasible_mass": figure}, ("mode_feasible", "feasible_mass")
)
_POINT = record({"trials": whole, "metrics": _METRICS}, ("trials", "metrics"))
_REPLICA = record(
    {
        **dict.fromkeys(("replica", "seed", "trials"), whole),
        **dict.fromkeys(("params", "macs"), amount),
        **dict.fromkeys(("regret", "margin", "reward"), optional(figure)),
        "arch": _ARCH,
        "metrics": _METRICS,
        "costs": optional(_METRICS),
        "error_kind": text,
        "best_found": optional(flag),
        "policy": _POLICY,
        "curve": listed(_POINT),
    }
)
_CORRELATED = record(
    {
        "index": whole,
        "arch": _ARCH,
        "notation": text,
        "params": amount,
        "macs": amount,
        "trained": optional(listed(number)),
        "error": optional(text),
        "scores": listed(number),
    },
    ("index", "params", "macs", "trained", "error", "scores"),
)
_LATENCY = record(
    {"device": _DEVICE, "scale": optional(amount), "networks": mapping(amount), "operations": mapping(amount)},
    ("device", "scale", "networks", "operations"),
)
_ARCHITECTURE = record(
    {
        **dict.fromkeys(("family", "notation"), text),
        "genotype": _FREE,
        "decisions": optional(mapping(text)),
        "arch": optional(_ARCH),
        "edges": mapping(listed(listed(text))),
        "features": mapping(whole),
        "training": mapping(plain_setting),
    }
)
_ENVIRONMENT = record(
    {
        "git": optional(record({"commit": text, "diff": optional(text)}, ("commit",))),
        "versions": mapping(optional(text)),
        "device": optional(_DEVICE),
        "threads": optional(positive),
        "data": mapping(text),
        "command": listed(text),
    }
)

MEASURED: Mapping[str, Check] = {"latency.json": _LATENCY}
"""What the file of a measured resource holds."""

FILES: Mapping[str, Check] = {
    "status.json": _STATUS,
    "config.yaml": _CONFIG,
    "overrides.yaml": listed(text),
    "environment.json": _ENVIRONMENT,
    "result.json": _RESULT,
    "architecture.json": _ARCHITECTURE,
    "decisions.json": mapping(listed(text)),
    **MEASURED,
}
"""What a file holds."""


def of_file(name: str) -> Check:
    """Return the check of a file; one that is not named here is of a measured resource of the user's own."""
    return FILES.get(name, record({"device": _DEVICE}, ("device",)))


LINES: Mapping[str, Check] = {
    "trials.jsonl": _TRIAL,
    "replicas.jsonl": _REPLICA,
    "history.jsonl": _FREE,
    "correlation.jsonl": _CORRELATED,
    "costs.jsonl": record({"phase": text, "seconds": amount, "cpu_seconds": optional(amount)}, ("phase", "seconds")),
}
"""What each line of a file holds."""
