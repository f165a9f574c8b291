"""What a command takes over from a run: its settings as checked overrides, and nothing else.

A run may come from a stranger. A line of its overrides.yaml is taken over if it chooses what a YAML file holds, or sets
a value that is plain data. Paths and addresses are left out: they come from today's command line or the defaults.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nasctl.config.targets import TARGET, is_address, known, leaves, named_classes
from nasctl.errors import RequestError
from nasctl.runs.plain import is_name
from nasctl.runs.reader import RunFiles
from nasctl.terminal_text import shown

LINES, LENGTH, NESTED = 1000, 20_000, 40  # of a record; characters and brackets of a line
DEPTH, NODES = 24, 1 << 20  # of a value: mappings and lists within each other, and all values
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*([./][A-Za-z0-9][A-Za-z0-9_-]*)*")
_START = re.compile(r"(\+\+|\+|~)?[A-Za-z0-9]")
ROOT = ("budget", "selection", "correlation", "checkpoint", "paths", "published")  # mappings, and no scalar

Given = Collection[str]
"""Keys of settings that today's command line gives; a run's are not read."""


@dataclass(frozen=True)
class Override:
    """A line as Hydra reads it: ``group@package=value`` or ``key=value``; ``sweep`` if it stands for several."""

    key: str
    package: str | None
    value: Any
    deletes: bool
    sweep: bool


Parse = Callable[[str], Override]


@dataclass(frozen=True)
class Inherited:
    """Overrides that a command takes over, and the addresses that the run had and it does not take over."""

    lines: list[str] = field(default_factory=list)
    left_out: Mapping[str, Any] = field(default_factory=dict)

    def notes(self, run: str, current: Callable[[str], Any], unused: Collection[str]) -> list[str]:
        """Return a sentence for each address that the run had and that is not ``current(setting)`` here."""
        return [
            f"note: {shown(run)}: a run brings no paths or addresses along; to use its own, add "
            f"{shlex.quote(shown(f'{setting}={value}'))}"
            for setting, value in self.left_out.items()
            if setting.split(".")[0] not in unused and current(setting) != value
        ]


def key_of(override: str) -> str:
    """Return the key of an override as it is typed."""
    return override.split("=", 1)[0].lstrip("+~")


def is_own(key: str, own: Collection[str]) -> bool:
    """Return whether ``key`` is one of the settings ``own``, or below one."""
    return any(key == name or key.startswith(f"{name}.") for name in own)


def from_overrides(run: Path, given: Given, own: Given, parse: Parse, folders: tuple[Path, ...]) -> Inherited:
    """Return what the overrides.yaml of ``run`` gives, less the keys that are ``given`` today and a run's ``own``."""
    path = run / "overrides.yaml"
    lines = RunFiles(run).read("overrides.yaml")
    if len(lines) > LINES:
        raise RequestError(f"{path}: has more than {LINES:,} lines; name another run")
    kept, left_out = [], {}
    for line in lines:
        key = key_of(line)
        if key in given or is_own(key, own):
            continue
        override = _Checked(path, line, parse, folders).override()
        addresses = _addresses(override)
        left_out.update(addresses)
        kept += [line] * (not addresses)
    return Inherited(kept, left_out)


def _addresses(override: Override) -> dict[str, Any]:
    """Return the paths and addresses that an override sets, by setting."""
    value = override.value
    below = list(leaves(value, f"{override.key}.")) if isinstance(value, dict) else []
    return {key: item for key, item in [(override.key, value), *below] if is_address(key, item)}


class _Checked:
    """One line of overrides.yaml; `RequestError` names it."""

    def __init__(self, path: Path, line: str, parse: Parse, folders: tuple[Path, ...]) -> None:
        self.path, self.line, self.parse, self.folders = path, line, parse, folders

    def override(self) -> Override:
        """Return the line as Hydra reads it if it is plain, or raise `RequestError`."""
        self._check_text()
        override = self._parsed()
        if not _KEY.fullmatch(override.key) or override.key.split("/")[0].split(".")[0] == "hydra":
            raise self._refused("sets what is no setting of a run")
        if override.sweep:
            raise self._refused("stands for several values")
        if fault := unfit(override.value):
            raise self._refused(fault)
        self._check_kind(override)
        return override

    def _check_text(self) -> None:
        if not _START.match(self.line):
            raise self._refused("is no setting")
        if len(self.line) > LENGTH or max(map(self.line.count, "[{(")) > NESTED * 10:
            raise self._refused("is too long for a setting")
        if nested(self.line) > NESTED:
            raise self._refused("holds too many brackets within each other")
        if hidden(self.line):
            raise self._refused("holds characters that nobody sees")

    def _parsed(self) -> Override:
        try:
            return self.parse(self.line)
        except Exception as error:  # whatever a grammar raises for what is none of it
            raise self._refused("is no setting") from error

    def _check_kind(self, override: Override) -> None:
        """Check a choice of a group as a name, and what is no choice as a value."""
        group = any((folder / override.key).is_dir() for folder in self.folders)
        if override.deletes:
            if group or "." not in override.key:
                raise self._refused("removes what a run needs")
        elif group:
            self._check_choice(override)
        elif override.package is not None or "/" in override.key:
            raise self._refused("chooses from a group that is not there")
        elif override.key in ROOT and not isinstance(override.value, dict):
            raise self._refused("gives one value for several")
        elif override.key == "label" and isinstance(override.value, dict | list):
            raise self._refused("gives several values for one")

    def _check_choice(self, override: Override) -> None:
        place = override.package
        if place is not None and override.key.replace("/", ".") not in known(self.folders).groups(place):
            raise self._refused("chooses for another place than a YAML does")
        value = override.value
        for name in value if isinstance(value, list) else [value]:
            if name is not None and not exists(override.key, name, self.folders):
                raise self._refused("chooses what no YAML holds; if it is one of your own, add --config-dir=DIR")

    def _refused(self, fault: str) -> RequestError:
        key = key_of(self.line)
        remedy = f"give {key}=... here" if _KEY.fullmatch(key) else "remove that line"
        return RequestError(f"{self.path}: {shown(repr(self.line[:100]))} {fault}; {remedy}")


def exists(group: str, name: Any, folders: Sequence[Path]) -> bool:
    """Return whether ``name`` is a name, and a YAML file of ``group`` has it."""
    return is_name(name) and any(os.path.isfile(folder / group / f"{name}.yaml") for folder in folders)


def nested(line: str) -> int:
    """Return how deep the brackets of ``line`` stand within each other."""
    deepest = depth = 0
    for character in line:
        depth += (character in "[{(") - (character in ")}]")
        deepest = max(deepest, depth)
    return deepest


def hidden(text: str) -> bool:
    """Return whether ``text`` has characters that steer a terminal or hide; a tab is a separator of columns."""
    return shown(bare := text.replace("\t", " ")) != bare


def unfit(value: Any) -> str | None:
    """Return what keeps a setting's value from being taken over; None if nothing does."""
    if fault := unplain(value):
        return fault
    if any("${" in text for text in texts(value)):
        return "refers to another setting or to the environment"
    if any(str(key).startswith("_") for node in _mappings(value) for key in node):
        return "holds a key that names a class or calls one"
    return "holds characters that nobody sees" if any(map(hidden, texts(value))) else None


def _mappings(value: Any) -> list[Mapping[Any, Any]]:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value] * isinstance(value, dict) + [found for item in inner for found in _mappings(item)]


def from_config(run: Path, given: Given, groups: Sequence[str], folders: tuple[Path, ...]) -> Inherited:
    """Return overrides for the ``groups`` of the config.yaml of ``run`` that are not ``given``, and its threads."""
    path, config = run / "config.yaml", RunFiles(run).read("config.yaml", "choices", "threads")
    choices = config["choices"]
    taken = [group for group in groups if group not in given and choices.get(group)]
    for group in taken:
        if not exists(group, choices[group], folders) or not isinstance(config.get(group), dict):
            raise RequestError(
                f"{path}: choices.{group} is {choices[group]!r}, which no YAML holds; give {group}=... here, or add "
                "--config-dir=DIR if it is one of your own"
            )
    settings = [leaf for group in taken for leaf in leaves(config[group], f"{group}.")]
    settings += [("threads", config["threads"])]
    left = [(key, value) for key, value in settings if key not in given and key.split(".")[-1] != TARGET]
    for key, value in left:
        if not _KEY.fullmatch(key) or unfit(value):
            fault = unfit(value) or "is no setting of a run"
            raise RequestError(f"{path}: {shown(repr(key[:100]))} {fault}; give it here, or name another run")
    kept = [f"++{key}={literal(value)}" for key, value in left if not is_address(key, value)]
    chosen = [f"{group}={choices[group]}" for group in taken]
    chosen += [line for group in taken for line in _parts(config[group], group, folders) if key_of(line) not in given]
    return Inherited(chosen + kept, {key: value for key, value in left if is_address(key, value)})


def _parts(node: Mapping[str, Any], group: str, folders: Sequence[Path]) -> Iterator[str]:
    """Yield the choices that give the parts of a node their classes, such as ``trainer/schedule=linear``."""
    for key, value in node.items():
        if isinstance(value, Mapping):
            place = f"{group}/{key}"
            if name := chosen_of(place, value.get(TARGET), folders):
                yield f"{place}={name}"
            yield from _parts(value, place, folders)


def chosen_of(group: str, target: Any, folders: Sequence[Path]) -> str | None:
    """Return a choice of ``group`` whose YAML names the class ``target``; None if there is none."""
    files = [file for folder in folders for file in sorted((folder / group).glob("*.yaml"))]
    return next((file.stem for file in files if target and target in named_classes(file)), None)


def literal(value: Any) -> str:
    """Return plain data in the grammar of Hydra's overrides."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)


def quoted(text: str) -> str:
    """Return ``text`` in double quotes: backslashes count double only before a quote."""
    inner = re.sub(r'(\\*)"', r'\1\1\\"', text)
    return '"' + re.sub(r"(\\+)$", r"\1\1", inner) + '"'


def unplain(value: Any) -> str | None:
    """Return what keeps ``value`` from being plain data of a sensible size; None if nothing does."""
    left = NODES
    waiting = [(value, 0)]
    while waiting:
        node, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > DEPTH:
            return "holds too many values within each other"
        if isinstance(node, dict):
            if not all(isinstance(key, str | int | float | None) for key in node):
                return "has a key that is no text"
            waiting += [(item, depth + 1) for item in node.values()]
        elif isinstance(node, list):
            waiting += [(item, depth + 1) for item in node]
        elif not isinstance(node, str | int | float | None):
            return f"holds a {type(node).__name__}"
    return None


def texts(value: Any) -> Iterator[str]:
    """Yield every text in plain data, keys of mappings among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*texts(key), *texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
