"""What the root of the configuration sets, and its groups."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveInt

Config = dict[str, Any]
"""A composed and resolved configuration as plain data, with its ``choices`` and ``overrides`` added."""

GROUPS = ("space", "strategy", "estimator", "dataset", "trainer", "reward", "constraint", "resource", "executor")
OWN = (
    "from",
    "run_dir",
    "dry_run",
    "resume",
    "traceback",
    "checkpoint",
    "form",
    "format",
    "paths.outputs",
    "budget.like",
)
"""Settings of a run itself, which a run that starts from it does not inherit."""
LIKE = ("space", "dataset", "trainer", "constraint")
"""Groups that a search takes, with the number of threads, from the run ``budget.like``, unless it chooses them or
an experiment."""
NOT_BUILT = {
    "search": ("against",),
    "select": ("strategy", "estimator", "against", "executor"),
    "correlate": ("strategy", "estimator", "executor"),
    "retrain": ("strategy", "estimator", "against", "executor"),
    "inspect": ("strategy", "estimator", "against", "executor"),
}
"""Groups that a verb builds nothing of, so that their settings may be missing."""

MOST_THREADS = max(256, 4 * (os.cpu_count() or 1))
"""More threads than this slow every machine down, and some thousands end the process."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What ``correlation`` sets, of the verb correlate."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    n: Annotated[int, Field(ge=3)]
    trainings: PositiveInt
    val_batches: PositiveInt | None
    recalibrate: NonNegativeInt | None
    top: Annotated[float, Field(gt=0, lt=1)]
    resamples: PositiveInt


@dataclass(frozen=True, kw_only=True)
class ShortTraining:
    """What ``selection`` sets, of the verb select."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    epochs: PositiveInt


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What ``checkpoint`` sets."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    seconds: NonNegativeFloat


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Folders of data sets and of runs."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    data: str
    outputs: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the root of the configuration sets, groups apart."""

    seed: Annotated[int, Field(strict=True, ge=0)]  # it names the run: 1.0 is not 1
    device: str
    threads: Annotated[int, Field(gt=0, le=MOST_THREADS)] | None
    label: str | int | float | bool | None
    published: dict[str, str] | None
    record_every: PositiveInt
    pending: PositiveInt
    ordered: bool
    repeats: PositiveInt
    curve: list[PositiveInt]
    training_choices: dict[str, list[int | float | str | bool | None]] | None
    resume: Literal["auto", "never", "must"]
    run_dir: str | None
    dry_run: bool
    checkpoint: Saving
    selection: ShortTraining
    correlation: Ranking
    paths: Paths
    form: str
    format: str


def conf_dir() -> Path:
    """Return the folder of configuration groups: inside an installed wheel, or of the checkout."""
    package = Path(__file__).resolve().parents[1]
    return next(path for path in (package / "conf", package.parent / "conf") if path.is_dir())
