"""`nasctl ls`: what can be chosen, with a line each, and past runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nasctl.errors import RequestError, unknown
from nasctl.report.document import Cells, grid
from nasctl.report.output import terminal_width
from nasctl.report.record import ERROR, PERPLEXITY, Run, find
from nasctl.report.spending import device_names, spent, write
from nasctl.report.table import terminal

_OWN = {"select": ("selection",), "retrain": ("retrain",)}  # phases by verb


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


def list_runs(roots: Sequence[Path]) -> str:
    """Return the runs below ``roots`` with status, reason of failure, error, cost and device."""
    rows = [_cells(run) for run in find(roots)]
    return terminal(grid(f"Runs in {', '.join(map(str, roots))}", rows), terminal_width())


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


def _cells(run: Run) -> Cells:
    return {
        "run": str(run.path),
        "status": run.status,
        **_scored(run),
        "cost": _cost(run),
        "device": device_names([run.result.get("device") or run.environment.get("device")]),
        "reason": run.reason or ("" if run.verified else "unverified: no hashes in status.json"),
    }


def _scored(run: Run) -> Cells:
    """Return the run's figure in the column of its measure."""
    text = "" if run.score is None else f"{run.score:.2f} ({run.result['error_kind']})"
    return {measure: text if measure == run.measure else "" for measure in (ERROR, PERPLEXITY)}


def _cost(run: Run) -> str:
    """Return what the run itself spent: copied costs of the runs before it are not counted again."""
    phases = _OWN.get(run.verb, ("search", "selection"))
    own = [item for item in spent(run) if item.phase in phases] if run.result else []
    totals = {unit: sum(item.days for item in own if item.unit == unit) for unit in dict.fromkeys(i.unit for i in own)}
    return write(totals)
