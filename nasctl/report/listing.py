"""`nasctl ls runs`: past runs, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nasctl.report._read.record import ERROR, PERPLEXITY, Run, find
from nasctl.report._read.spending import device_names, spent, write
from nasctl.report.format.table import terminal, terminal_width
from nasctl.report.grid import Cells, grid

_OWN = {"select": ("selection",), "retrain": ("retrain",)}  # phases by verb


def list_runs(roots: Sequence[Path]) -> str:
    """Return the runs below ``roots`` with status, reason of failure, error, cost and device."""
    rows = [_cells(run) for run in find(roots)]
    return terminal(grid(f"Runs in {', '.join(map(str, roots))}", rows), terminal_width())


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
