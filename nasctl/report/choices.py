"""`nasctl ls`: the config groups, and the options of a group with a line each."""

from __future__ import annotations

from pathlib import Path

from nasctl.errors import RequestError, unknown
from nasctl.report.format.table import terminal, terminal_width
from nasctl.report.grid import grid


def list_group(group: str | None, conf: Path) -> str:
    """Return the config groups, or a group's options with the first comment line of each."""
    groups = _groups(conf)
    if group is None:
        rows = [{"group": name, "options": str(len(_options(conf / name)))} for name in groups]
        return terminal(grid("What can be chosen (nasctl ls GROUP, or nasctl ls runs)", rows), terminal_width())
    if group not in groups:
        raise unknown("ls", group, [*groups, "runs"])
    options = [{"option": name, "what it is": _summary(file)} for name, file in _options(conf / group).items()]
    return terminal(grid(f"Options of {group}", options), terminal_width())


def choices_by_group(conf: Path) -> dict[str, list[str]]:
    """Return the names of the choices of each group."""
    return {group: list(_options(conf / group)) for group in _groups(conf)}


def _groups(conf: Path) -> list[str]:
    """Return the groups, nested ones such as ``strategy/policy`` among them."""
    if not conf.is_dir():
        raise RequestError(f"{conf}: there is no such config folder; install the package again")
    folders = [folder for folder in conf.rglob("*") if folder.is_dir() and not _is_part(folder.relative_to(conf))]
    return sorted(str(folder.relative_to(conf)) for folder in folders if _is_group(folder, conf) and _options(folder))


def _options(folder: Path) -> dict[str, Path]:
    """Return the choices of a group: its files, and those of folders that are no groups of their own."""
    files = [file for file in sorted(folder.rglob("*.yaml")) if not _is_part(file.relative_to(folder))]
    choices = [file for file in files if file.parent == folder or not _is_nested(file)]
    return {str(file.relative_to(folder).with_suffix("")): file for file in choices}


def _is_part(path: Path) -> bool:
    """Return whether a file or folder holds parts of choices."""
    return any(part.startswith("_") for part in path.parts)


def _is_group(folder: Path, conf: Path) -> bool:
    return folder.parent == conf or any(map(_is_nested, folder.glob("*.yaml")))


def _is_nested(file: Path) -> bool:
    """Return whether a file in a folder of a group is a choice of that folder, not of the group.

    What stands at the root of the configuration is one of the group, such as an experiment.
    """
    return not file.read_text(encoding="utf-8").startswith("# @package _global_")


def _summary(file: Path) -> str:
    """Return the first comment line of a YAML file; Hydra's ``@package`` line is none."""
    with file.open(encoding="utf-8") as lines:
        comments = (line[1:].strip() for line in lines if line.startswith("#"))
        return next((comment for comment in comments if not comment.startswith("@package")), "")
