"""Which classes the YAML files of conf/ name, and at which place of the configuration: a run may name no other.

A place is a path of keys, such as ``dataset`` or ``estimator.trainer``. ``${trainer}`` there, and a default such as
``trainer@estimator.trainer``, let everything stand there that may stand at the place ``trainer``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from nasctl.errors import RequestError
from nasctl.terminal_text import shown

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PACKAGE = re.compile(r"^#\s*@package\s+(\S+)", re.MULTILINE)
_WHOLE = re.compile(r"\$\{([\w.]+)\}")
_PLACES = re.compile(  # last key of settings that name a file, a folder or an address, or have something fetched
    r"(?:.*[._])?(?:root|file|folder|cache|path|paths|dir|dirs|directory|url|urls|address|download)"
)
TARGET = "_target_"
DEPTH = 8  # of places that refer to each other


def is_address(key: str, value: Any) -> bool:
    """Return whether ``value`` of the setting ``key`` is a path or an address, which comes from no run."""
    named = key.split(".")[0] == "paths" or key == "budget.like" or _PLACES.fullmatch(key)
    return bool(named) and isinstance(value, str | bool | list)


def leaves(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each setting that is no mapping, or an empty one."""
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def named_classes(file: Path) -> set[str]:
    """Return the class that a YAML names at its root, as a set of one or none."""
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), _LOADER)
    except yaml.YAMLError:
        return set()  # Hydra says so as soon as it is chosen
    return {content[TARGET]} if isinstance(content, dict) and isinstance(content.get(TARGET), str) else set()


@lru_cache(maxsize=4)
def known(folders: tuple[Path, ...]) -> Known:
    """Return what the YAML files of ``folders`` name."""
    return Known(folders)


class Known:
    """The classes and addresses that the YAML files below ``folders`` name, by place."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.folders = folders
        self.classes: defaultdict[str, set[str]] = defaultdict(set)
        self.aliases: defaultdict[str, set[str]] = defaultdict(set)  # places whose classes may stand here too
        self.addresses: defaultdict[str, list[Any]] = defaultdict(list)
        for folder in folders:
            for file in sorted(folder.rglob("*.yaml")):
                self._read(file, file.parent.relative_to(folder).parts)

    def _read(self, file: Path, group: tuple[str, ...]) -> None:
        text = file.read_text(encoding="utf-8")
        try:
            content = yaml.load(text, _LOADER)
        except yaml.YAMLError:
            return  # Hydra says so as soon as it is chosen
        if not isinstance(content, dict):
            return
        header = _PACKAGE.search(text)
        package = _absolute(header[1] if header else "_group_", ".".join(group))
        for entry in content.pop("defaults", None) or ():
            self._read_default(entry, group, package)
        self._walk(content, package)

    def _read_default(self, entry: Any, group: tuple[str, ...], package: str) -> None:
        """Note that ``- estimator@against: table`` puts an estimator at another place."""
        for key in entry if isinstance(entry, dict) else ():
            name, at, other = str(key).split()[-1].partition("@")
            if at:
                name = name[1:] if name.startswith("/") else "/".join([*group, name])
                place = _absolute(other, package) if other.startswith("_") else f"{package}.{other}".strip(".")
                self.aliases[place].add(name.replace("/", "."))

    def _walk(self, node: Any, place: str) -> None:
        if isinstance(node, dict):
            if isinstance(node.get(TARGET), str):
                self.classes[place].add(node[TARGET])
            for key, value in node.items():
                self._walk(value, f"{place}.{key}".strip("."))
        elif isinstance(node, list) and any(isinstance(item, dict) for item in node):
            for item in node:
                self._walk(item, place)
        elif isinstance(node, str) and (whole := _WHOLE.fullmatch(node)):
            self.aliases[place].add(whole[1])
        elif is_address(place, node):
            self.addresses[place].append(node)

    def may_stand(self, place: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """Return the classes that may stand at ``place``."""
        found = set(self.classes.get(place, ()))
        parts = place.split(".")
        for count in range(1, len(parts) + 1):
            for other in self.aliases.get(".".join(parts[:count]), ()):
                target = ".".join([other, *parts[count:]])
                if target not in seen and len(seen) < DEPTH:
                    found |= self.may_stand(target, seen | {place})
        return found

    def groups(self, place: str) -> set[str]:
        """Return the groups whose choices may stand at ``place``, beside the group of its own name."""
        return self.aliases.get(place, set())

    def check(self, node: Any, place: str, origin: Path) -> None:
        """Raise `RequestError` unless a node of ``origin`` names no class but those of its place, and is data else."""
        if not isinstance(node, Mapping) or TARGET not in node:
            raise RequestError(f"{origin}: {place} names no class; get the run again")
        self._check(node, place, origin)

    def _check(self, node: Any, place: str, origin: Path) -> None:
        if isinstance(node, list):
            for item in node:
                self._check(item, place, origin)
        if not isinstance(node, Mapping):
            return
        for key, value in node.items():
            if str(key).startswith("_") and key != TARGET:
                raise RequestError(f"{origin}: {place}.{shown(str(key))} is no setting; get the run again")
            if key == TARGET:
                self._check_class(value, place, origin)
            else:
                self._check(value, f"{place}.{key}", origin)

    def _check_class(self, name: Any, place: str, origin: Path) -> None:
        if not isinstance(name, str) or name not in self.may_stand(place):
            raise RequestError(
                f"{origin}: {place}.{TARGET} is {shown(repr(name)[:100])}, which no YAML names at that place; if it is "
                "one of your own, add --config-dir=DIR with the YAML that names it"
            )

    def at_home(self, node: Mapping[str, Any], place: str, given: Mapping[str, Any], origin: Path) -> dict[str, Any]:
        """Return ``node`` with its addresses as ``given`` today, or as a YAML of that place has them.

        ``given`` are values by setting, such as ``dataset.folder``. `RequestError` for another address of the run.
        """
        found = dict(node)
        for key, value in node.items():
            setting = f"{place}.{key}"
            if isinstance(value, Mapping):
                found[key] = self.at_home(value, setting, given, origin)
            elif setting in given:
                found[key] = given[setting]
            elif is_address(setting, value) and value not in (*self.addresses.get(setting, ()), False):
                raise RequestError(
                    f"{origin}: {setting} is {shown(repr(value)[:100])}, and a path comes from no run; give {setting} "
                    "yourself"
                )
        return found


def _absolute(package: str, here: str) -> str:
    """Return a package of Hydra as a place; ``here`` is that of the file."""
    if package in ("_group_", "_here_"):
        return here
    return package.removeprefix("_global_").strip(".")
