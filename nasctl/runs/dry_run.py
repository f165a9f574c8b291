"""Two steps of a run, to learn what the whole of it would take: memory, seconds a step, an estimate."""

from __future__ import annotations

import math
import resource
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

from nasctl.core import State
from nasctl.runs import Run
from nasctl.runs.progress import duration


class EnoughError(Exception):
    """The steps that a dry run measures are done; ends the run."""


@dataclass(frozen=True)
class Step:
    """When a step ended, in seconds, and the share of ``part`` of the run that was done by then."""

    ended: float
    part: str  # run | trial | warmup
    share: float


class DryRun(Run):
    """A run that stops after its second step and prints what it measured.

    It takes the same path as any run, in a temporary directory that is removed at the end. ``trials`` is how
    many of its trials are trainings of their own.
    """

    def __init__(self, config: Mapping[str, Any], *, phase: str, device: torch.device, trials: int | None) -> None:
        folder = Path(tempfile.gettempdir(), f"nasctl-dry-run-{uuid.uuid4()}")
        super().__init__(folder, config, phase=phase, checkpoint_seconds=math.inf)
        self.device, self.trials = device, trials
        self.steps: list[Step] = []

    def __enter__(self) -> Self:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        return super().__enter__()

    def __exit__(self, kind: type | None, error: BaseException | None, tb: TracebackType | None) -> bool:
        enough = isinstance(error, EnoughError)
        try:
            super().__exit__(kind, None if enough else error, tb)
        finally:
            shutil.rmtree(self.path, ignore_errors=True)
        if error is None or enough:
            print("\n".join(self.report()))
        return enough

    def tick(self, state: Callable[[], State], values: Mapping[str, Any]) -> None:
        super().tick(state, values)
        self._count(*next(self._parts(values), ("run", values["share"])))

    def pulse(self, values: Mapping[str, Any]) -> None:
        super().pulse(values)
        for part, share in self._parts(values):
            self._count(part, share)

    @staticmethod
    def _parts(values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
        """Yield the parts of a run that ``values`` tell the share of."""
        return ((part, values[f"{part}_share"]) for part in ("trial", "warmup") if f"{part}_share" in values)

    def _count(self, part: str, share: float) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.steps.append(Step(time.monotonic(), part, share))
        if len(self.steps) == 2:
            raise EnoughError

    def report(self) -> list[str]:
        """Return the lines that a dry run prints."""
        memory = f"peak memory    {self._memory() / 2**20:,.0f} MiB ({_whose(self.device)})"
        if len(self.steps) < 2:
            return [memory, f"steps planned  {len(self.steps)}: the run is shorter than a dry run"]
        first, second = self.steps
        seconds, planned = second.ended - first.ended, steps_of(first, second)
        times = self.trials or 1 if second.part == "trial" else 1
        return [
            memory,
            f"a step         {seconds:.3g} s (the second one)",
            f"steps planned  {f'{times} x ' if second.part == 'trial' else ''}{planned:,}{NOTES[second.part]}",
            f"estimated      {duration(seconds * planned * times)}",
        ]

    def _memory(self) -> int:
        """Return the high-water mark in bytes: of the GPU's allocations, or of the process."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024  # bytes there, KiB elsewhere


NOTES = {
    "run": "",
    "trial": " of training; scoring the trials comes on top",
    "warmup": " of warm-up; the trials come on top",
}


def steps_of(first: Step, second: Step) -> int:
    """Return how many steps the part of the run holds that the first two steps belong to."""
    step = second.share - first.share if second.share > first.share else first.share
    return max(1, round(1 / step)) if step > 0 else 1


def _whose(device: torch.device) -> str:
    return "allocated on the GPU" if device.type == "cuda" else "of the process"
