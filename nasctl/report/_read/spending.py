"""What a run spent: days per phase and kind of device, and the devices' names.

Days on a GPU and days on a CPU are different units, so a cost maps units to days and they are never added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nasctl.report._read.record import Json, Run
from nasctl.report._statistics.figure import days

Cost = Mapping[str, float]
"""Days by unit, such as {"GPU-days": 0.375}."""

PHASES = ("search", "selection", "retrain")
_SECONDS_PER_DAY = 86_400
_UNITS = {"cuda": "GPU-days", "cpu": "CPU-days"}


@dataclass(frozen=True)
class Spent:
    """Days that one phase took on one kind of device."""

    phase: str
    unit: str
    days: float


def spent(run: Run) -> list[Spent]:
    """Return what the run's result cost; phases that did not happen here are left out.

    A published genotype or a file has neither search nor selection, a search no retraining.
    """
    device = run.result.get("device")
    if run.verb != "retrain":
        return [_spent(run, phase, device) for phase in ("search", "selection")]
    searched = ("search", "selection") if run.source.get("kind") == "run" else ()
    return [
        *(_spent(run, phase, run.source.get("device")) for phase in searched),
        _spent(run, "retrain", device),
    ]


def days_of(phase: str, unit: str, run: Run) -> float | None:
    """Return the days of a run's phase in one unit; None where the phase has none."""
    return next((item.days for item in spent(run) if (item.phase, item.unit) == (phase, unit)), None)


def unit(device: Json | None) -> str:
    """Return the unit of a device's days; ``device-days`` where the device is not known."""
    kind = (device or {}).get("type")
    return _UNITS.get(kind, f"{kind.upper()}-days") if kind else "device-days"


def device_names(devices: Iterable[Json | None]) -> str:
    """Return the distinct devices, with their number where there are several of one."""
    return "; ".join(dict.fromkeys(_name(device) for device in devices if device))


def write(cost: Cost) -> str:
    """Write a cost with its unit; units are listed, never added."""
    return "; ".join(f"{days(value)} {name}" for name, value in cost.items())


def _spent(run: Run, phase: str, device: Json | None) -> Spent:
    seconds = float(run.result["cost"].get(phase) or 0.0)
    return Spent(phase, unit(device), seconds / _SECONDS_PER_DAY)


def _name(device: Json) -> str:
    number = device.get("count") or 1
    name = str(device.get("name") or device.get("type"))
    return f"{number} x {name}" if number > 1 else name
