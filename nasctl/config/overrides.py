"""The settings on a command line, made ready for Hydra: text in quotes, open mappings, and groups that name choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from nasctl.command_line.quoting import quoted_text
from nasctl.errors import RequestError, unknown
from nasctl.runs.translation import answer_choice

EMPTY = re.compile(r"^(\w+): *\{\} *(#.*)?$", re.MULTILINE)
DEEPEST = 50  # brackets within brackets; the grammar's parser takes minutes for thousands
MANY = ("experiment", "debug")  # groups of which several may be chosen, as a list
Parse = Callable[[str], Any]  # of a setting, to Hydra's Override; raises where the grammar does not know it


def prepared(settings: Sequence[str], sweep: bool, folders: Sequence[Path], parse: Parse) -> list[str]:
    """Return ``settings`` as Hydra takes them, or raise `RequestError`.

    ``folders`` hold the groups: that of the package, and those of ``--config-dir``.
    """
    return [_prepared(setting, sweep, folders, parse) for setting in settings]


def _prepared(setting: str, sweep: bool, folders: Sequence[Path], parse: Parse) -> str:
    if not _is_text(setting):
        raise RequestError(f"{shortened(ascii(setting))}: is not in UTF-8; rename what it names")
    if depth(setting) > DEEPEST:
        raise RequestError(f"{shortened(setting)}: is nested too deeply; write it flatter")
    setting = _grammatical(setting, sweep, parse)
    read = parse(setting)
    if read.is_sweep_override() and not sweep:
        raise RequestError(f"{setting}: several values make a sweep; add -m, or put the value in quotes or in [...]")
    group = key_of(setting).partition("@")[0]
    if read.is_delete() and "." not in group:
        raise RequestError(f"{setting}: cannot be left out; give {group} another value")
    if any((folder / group).is_dir() for folder in folders):
        _check_choice(setting, group, read, folders)
    _check_no_choice(setting, group, read, folders)
    return f"++{setting}" if _goes_into_an_open_mapping(setting, folders) else setting


def _grammatical(setting: str, sweep: bool, parse: Parse) -> str:
    """Return the setting, its value in quotes if the grammar stumbles over it."""
    complaint: Exception | None = None
    key, equals, value = setting.partition("=")
    for attempt in (setting, f"{key}={quoted_text(value, sweep)}") if equals else (setting,):
        try:
            if parse(attempt).key_or_group:
                return attempt
        except Exception as error:  # whatever Hydra's parser raises
            complaint = error
    raise RequestError(
        f"{shortened(setting)}: is no setting; correct the command line to NAME=VALUE, as in seed=1"
    ) from complaint


def _is_text(setting: str) -> bool:
    """Return whether a setting is text: bytes that are not UTF-8 could be written into no record."""
    return not any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in setting)


def depth(text: str) -> int:
    """Return how many brackets are open at once at most, outside quotes."""
    bare = re.sub(r"""'(\\.|[^'\\])*'|"(\\.|[^"\\])*\"""", "", text)
    open_now = [(letter in "[{(") - (letter in "]})") for letter in bare]
    return max(accumulate(open_now), default=0)


def shortened(text: str) -> str:
    """Return ``text``, the middle left out where it is long."""
    return text if len(text) <= 200 else f"{text[:120]} ... {text[-40:]}"


def key_of(setting: str) -> str:
    """Return the name that a setting sets, without ``+``, ``++`` or ``~``."""
    return setting.partition("=")[0].lstrip("+~")


def _check_choice(setting: str, group: str, read: Any, folders: Sequence[Path]) -> None:
    """Raise `RequestError` if a group is given what cannot be the name of a choice."""
    if read.is_sweep_override():
        return _check_choices(setting, group, folders)
    value = read.value()
    listed = isinstance(value, list) and group in MANY and all(isinstance(each, str) for each in value)
    if (isinstance(value, str) and value) or listed:
        return
    raise RequestError(f"{setting}: is no choice of {group}; choose from {', '.join(choices(group, folders))}")


def _check_no_choice(setting: str, key: str, read: Any, folders: Sequence[Path]) -> None:
    """Raise `RequestError` if a name is given to a setting that is a group of choices, such as ``strategy.policy``."""
    group = key.replace(".", "/")
    if "." in key and not read.is_delete() and any((folder / group).is_dir() for folder in folders):
        value = setting.partition("=")[2]
        if re.fullmatch(r"[\w/-]+", value):
            raise RequestError(
                f"{setting}: {key} is a choice, one of {', '.join(choices(group, folders))}; write {group}={value}"
            )


def _check_choices(setting: str, group: str, folders: Sequence[Path]) -> None:
    """Raise `RequestError` if one of several choices does not exist, before the first of them is run."""
    for name in setting.partition("=")[2].split(","):
        there = any((folder / group / f"{name}.yaml").is_file() for folder in folders)
        if re.fullmatch(r"[\w/-]+", name) and not there:
            if sentence := answer_choice(group, name):
                raise RequestError(sentence)
            raise unknown(group, name, choices(group, folders))


def choices(group: str, folders: Iterable[Path]) -> list[str]:
    """Return the names of a group's YAML files, parts apart."""
    names = {path.stem for folder in folders for path in (folder / group).glob("*.yaml")}
    return sorted(name for name in names if not name.startswith("_"))


def _goes_into_an_open_mapping(setting: str, folders: Sequence[Path]) -> bool:
    """Return whether a setting adds to a mapping that a choice leaves empty, such as estimator.size.

    The mapping may be one of a part, such as strategy.policy.bias.
    """
    key, _, value = setting.partition("=")
    group, *names = key_of(key).split(".")
    if not names or setting[0] in "+~":
        return False
    base = "estimator" if group == "against" else group
    opens = [i for i, name in enumerate(names) if _is_empty(name, "/".join([base, *names[:i]]), folders)]
    return any(i + 1 < len(names) or value.startswith("{") for i in opens)


def _is_empty(name: str, group: str, folders: Sequence[Path]) -> bool:
    return any(name in _empty(path) for path in _files(group, folders))


def _files(group: str, folders: Iterable[Path]) -> list[Path]:
    return [path for folder in folders for path in sorted((folder / group).glob("*.yaml"))]


def _empty(path: Path) -> list[str]:
    """Return the names of the mappings that a choice leaves empty."""
    return [name for name, _ in EMPTY.findall(path.read_text(encoding="utf-8"))]
