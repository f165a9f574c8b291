"""`nasctl ls`: the config groups with their choices, and the choices of a group with a line each.

A folder inside a group is a nested group, ``strategy/policy``. In a group of whole settings, such as ``experiment``, it
holds more choices of that group. The folder NAME beside NAME.yaml holds parts of that choice and is not listed, nor is
what begins with an underscore. Views and output formats of `nasctl compare` are listed as groups, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from nasctl.errors import RequestError, unknown
from nasctl.report import discovery
from nasctl.report.format.table import terminal, terminal_width
from nasctl.report.grid import Grid, grid

_MOST = 24  # choices that are listed in the grid; of more, their number
_GLOBAL = "@package _global_"  # of a choice that holds whole settings


def list_group(group: str | None, conf: Path) -> str:
    """Return the grid of all groups, or the choices of a group with the first comment line of each."""
    return terminal(overview(conf) if group is None else choices_of(group, conf), terminal_width())


def overview(conf: Path) -> Grid:
    """Return the grid of all groups and their choices."""
    rows = [{"group": name, "choices": _listed(name, files)} for name, files in groups(conf).items()]
    return grid("What can be chosen (nasctl ls GROUP, or nasctl ls runs)", rows)


def choices_of(group: str, conf: Path) -> Grid:
    """Return the choices of a group, or raise `RequestError` if there is no such group."""
    known = groups(conf)
    if group not in known:
        raise unknown("ls", group, [*known, "runs"])
    rows = [{"choice": name, "what it is": _summary(file)} for name, file in known[group].items()]
    return grid(f"Choices of {group}", rows)


def groups(conf: Path) -> dict[str, dict[str, Path]]:
    """Return the file of each choice by group and name, or raise `RequestError`."""
    if not conf.is_dir():
        raise RequestError(f"{conf}: there is no such config folder; install the package again")
    found = {name: files for folder in _folders(conf) for name, files in _groups(folder, folder.name)}
    return {**found, **{kind: discovery.files(kind, []) for kind in discovery.KINDS}}


def _groups(folder: Path, name: str) -> Iterator[tuple[str, dict[str, Path]]]:
    """Yield a group and the groups inside it, with the files of their choices."""
    own = {path.stem: path for path in sorted(folder.glob("*.yaml")) if not path.stem.startswith("_")}
    inside = [each for each in _folders(folder) if each.name not in own]
    whole = any(_GLOBAL in _first_line(path) for path in own.values())
    if whole:
        own |= {str(path.relative_to(folder).with_suffix("")): path for each in inside for path in _choices(each)}
    if own:
        yield name, own
    for each in [] if whole else inside:
        yield from _groups(each, f"{name}/{each.name}")


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("_"))


def _choices(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.yaml") if not path.stem.startswith("_"))


def _listed(group: str, files: Mapping[str, Path]) -> str:
    return ", ".join(files) if len(files) <= _MOST else f"{len(files)}, see nasctl ls {group}"


def _summary(file: Path) -> str:
    """Return the first line that says what a choice is: of a docstring, or a comment that is not Hydra's."""
    if file.suffix == ".py":
        return discovery.summary(file)
    with file.open(encoding="utf-8") as lines:
        comments = (line[1:].strip() for line in lines if line.startswith("#"))
        return next((comment for comment in comments if not comment.startswith("@package")), "")


def _first_line(file: Path) -> str:
    with file.open(encoding="utf-8") as lines:
        return lines.readline()
