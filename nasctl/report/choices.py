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


def _groups(conf: Path) -> list[str]:
    if not conf.is_dir():
        raise RequestError(f"{conf}: there is no such config folder; install the package again")
    return sorted(folder.name for folder in conf.iterdir() if folder.is_dir() and _options(folder))


def _options(folder: Path) -> dict[str, Path]:
    files = sorted(folder.rglob("*.yaml"))
    choices = [file for file in files if not file.name.startswith("_")]  # the rest are parts of choices
    return {str(file.relative_to(folder).with_suffix("")): file for file in choices}


def _summary(file: Path) -> str:
    """Return the first comment line of a YAML file; Hydra's ``@package`` line is none."""
    with file.open(encoding="utf-8") as lines:
        comments = (line[1:].strip() for line in lines if line.startswith("#"))
        return next((comment for comment in comments if not comment.startswith("@package")), "")
