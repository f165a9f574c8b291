"""Time that the phases of a row took: days of wall clock and CPU time of the process, with their spread over seeds.

Days by the clock grow with the load of the machine, CPU time hardly: it stands beside where runs recorded it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from nasctl.report._read.method import Method, by_seed
from nasctl.report._read.record import Run, finite
from nasctl.report._read.spending import PHASES, days_of, spent
from nasctl.report._statistics.figure import Figure, days

REMARK = (
    "Cost: days by the clock, of the devices named; CPU time: that of the process, which other load hardly changes. "
    "Mean ± sample standard deviation over the n of the row."
)


def timed(row: Method, phase: str) -> dict[str, str]:
    """Return the columns of a phase: its cost by the clock, and its CPU time where runs recorded it."""
    costs = [_text(figure, unit, days) for unit, figure in wall(row, phase).items()]
    own = processor(row, phase)
    return {
        f"{phase} cost": "; ".join(costs),
        f"{phase} CPU time": "" if own is None else _text(own, "s", _seconds),
    }


def spreads(row: Method) -> dict[str, Any]:
    """Return the standard deviations of the costs by phase and unit, and the CPU seconds by phase."""
    own = {phase: processor(row, phase) for phase in PHASES}
    return {
        "cost_std": {phase: {unit: figure.std for unit, figure in wall(row, phase).items()} for phase in PHASES},
        "cpu_seconds": {phase: figure and asdict(figure) for phase, figure in own.items()},
    }


def flat(row: Method) -> dict[str, float | None]:
    """Return `spreads` as columns of one row."""
    found: dict[str, float | None] = {}
    for phase in PHASES:
        found |= {f"{phase}_{unit}_std": figure.std for unit, figure in wall(row, phase).items()}
        own = processor(row, phase)
        found |= {} if own is None else {f"{phase}_CPU_s": own.mean, f"{phase}_CPU_s_std": own.std}
    return found


def wall(row: Method, phase: str) -> Mapping[str, Figure]:
    """Return the days of a phase over seeds, by unit; units without any are left out."""
    units = dict.fromkeys(item.unit for run in row.runs for item in spent(run) if item.phase == phase)
    found = {unit: Figure.of(by_seed(row.runs, partial(days_of, phase, unit)).values()) for unit in units}
    return {unit: figure for unit, figure in found.items() if figure is not None and figure.mean > 0}


def processor(row: Method, phase: str) -> Figure | None:
    """Return the CPU seconds of a phase over seeds; None where no run recorded any."""
    figure = Figure.of(by_seed(row.runs, partial(_cpu_seconds, phase)).values())
    return figure if figure is not None and figure.mean > 0 else None


def _cpu_seconds(phase: str, run: Run) -> float | None:
    """Return a run's CPU seconds; a replica has its share of those of its run."""
    recorded = run.result.get("cpu_seconds")
    seconds = finite(recorded.get(phase)) if isinstance(recorded, Mapping) else None
    return seconds and seconds / run.sharers


def _text(figure: Figure, unit: str, write: Callable[[float], str]) -> str:
    """Return mean and deviation; a deviation of zero, as of the shares of one run's replicas, is none."""
    spread = f" ± {write(figure.std)}" if figure.std else ""
    return f"{write(figure.mean)}{spread} {unit}"


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
