"""A run as its directory records it: status.json, config.yaml, overrides.yaml, result.json, trials.jsonl.

Nothing is written. A run whose files cannot be read has the status ``damaged`` with the reason; it is shown
like other unfinished runs rather than ending the report.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from nasctl.errors import RequestError
from nasctl.files import is_held
from nasctl.runs.reader import DamagedError, RunFiles

Json = Mapping[str, Any]
T = TypeVar("T")

DEFAULT_ROOT = "outputs"
COUNTED = ("params", "macs")  # costs that stand in result.json itself
ERROR, PERPLEXITY = "error (%)", "perplexity"


@dataclass(frozen=True)
class Run:
    """One run directory. ``status`` is running, finished, failed, interrupted, killed or damaged."""

    path: Path
    status: str
    reason: str | None = None
    config: Json = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    result: Json = field(default_factory=dict)  # empty unless finished
    environment: Json = field(default_factory=dict)
    verified: bool = True  # whether status.json holds the hashes of a finished run's files

    @property
    def verb(self) -> str:
        """Return the verb that made the run, empty where unknown."""
        return str(self.result.get("verb") or self.config.get("verb") or "")

    @property
    def choices(self) -> Json:
        """Return the names of the chosen options, one per config group."""
        return self.config.get("choices") or {}

    @property
    def source(self) -> Json:
        """Return where a retrained architecture came from; empty for a search."""
        return self.result.get("source") or {}

    @property
    def method(self) -> str | None:
        """Return what the seeds of a search method share: its signature, whatever the work of ``budget.like`` was."""
        found = self.source if self.verb == "retrain" else self.result
        return found.get("method") or found.get("signature")

    @property
    def measure(self) -> str:
        """Return what `score` is: the error in percent, or the perplexity where no error was measured."""
        return PERPLEXITY if self.result.get("error") is None and PERPLEXITY in self.metrics else ERROR

    @property
    def score(self) -> float | None:
        """Return the figure by which the run is compared; None where it is missing or not finite."""
        return finite(self.metrics[PERPLEXITY]) if self.measure == PERPLEXITY else self.number("error")

    @property
    def validation(self) -> float | None:
        """Return the perplexity that the tested weights have on the part they were chosen by."""
        weights = self.result.get("weights") or {}
        return finite((weights.get("held_out") or {}).get(PERPLEXITY))

    @property
    def metrics(self) -> Json:
        """Return what was measured of the run's architecture, by name."""
        return self.result.get("metrics") or {}

    @property
    def objective(self) -> str:
        """Return the metric that the reward reads; a reward that names none is of the perplexity."""
        return str((self.config.get("reward") or {}).get("name") or PERPLEXITY)

    @property
    def sign(self) -> float:
        """Return the factor by which values of the objective become lower for what is better."""
        return -1.0 if (self.config.get("reward") or {}).get("maximize") else 1.0

    @property
    def costs(self) -> dict[str, float]:
        """Return the costs of the run's architecture by name; runs of 0.1.0 record params and macs alone."""
        known = {**{name: self.result.get(name) for name in COUNTED}, **(self.result.get("costs") or {})}
        return {name: value for name, given in known.items() if (value := finite(given)) is not None}

    @property
    def limits(self) -> dict[str, float]:
        """Return the limits that the run was given, by resource; empty without a constraint."""
        node = self.config.get("constraint") or {}
        return dict(node.get("limits") or ({node["resource"]: node["limit"]} if "limit" in node else {}))

    @property
    def sharers(self) -> int:
        """Return how many runs share what is recorded of this one: the replicas of a repeated search, else one."""
        return int(self.result["repeats"]) if "replica" in self.result else 1

    def unfinished(self) -> str:
        """Return why there is no result: the status, with the reason where one is known."""
        return f"{self.status}: {self.reason}" if self.reason else self.status

    def number(self, key: str) -> float | None:
        """Return a figure of result.json; None where it is missing, null or not finite."""
        return finite(self.result.get(key))


LARGEST = 10**300  # of a number that is averaged; a whole one has no bound of its own


def finite(value: Any) -> float | None:
    """Return ``value`` if it is a finite number, and no larger than one that can be averaged."""
    return value if isinstance(value, int | float) and abs(value) < math.inf and abs(value) < LARGEST else None


def find(paths: Sequence[str | Path]) -> list[Run]:
    """Return the runs at or below ``paths`` (default outputs/), each once, or raise `RequestError`."""
    folders = [folder for path in paths or [DEFAULT_ROOT] for folder in _folders(Path(path))]
    return [read(folder) for folder in {folder.resolve(): folder for folder in folders}.values()]


def read(folder: Path) -> Run:
    """Return the run that lives in ``folder``."""
    try:
        return _read(folder)
    except DamagedError as damage:
        return Run(folder, "damaged", damage.reason)
    except OSError as error:
        return Run(folder, "damaged", " ".join(str(error).split()))


def lines(run: Run, name: str, *needed: str) -> Iterator[Json]:
    """Yield the lines of a .jsonl file with the keys ``needed``, none if it is missing, or raise `DamagedError`."""
    return RunFiles(run.path).lines(name, *needed)


def content(run: Run, name: str, default: Any) -> Any:
    """Return the content of a file, ``default`` where there is none, or raise `DamagedError`."""
    return RunFiles(run.path).optional(name, default)


def damaged(run: Run, name: str, fault: str) -> DamagedError:
    """Return the error for what only a report finds wrong in a file."""
    return DamagedError(run.path, name, fault)


def within(options: Sequence[Sequence[str]], arch: Sequence[int]) -> bool:
    """Return whether the indices of an architecture point at ``options`` of its decisions, as far as there are some."""
    return all(k < len(choices) for choices, k in zip(options, arch, strict=False))


def sparing(runs: Sequence[Run], make: Callable[[list[Run]], T]) -> T:
    """Return ``make(runs)``, in which runs that are found damaged on the way have that status."""
    left = list(runs)
    while True:
        try:
            return make(left)
        except DamagedError as damage:
            if not any(run.path == damage.folder and run.status != "damaged" for run in left):
                raise
            left = [_looked_at(run, damage) for run in left]


def _looked_at(run: Run, damage: DamagedError) -> Run:
    """Return ``run``, damaged if it is the one of ``damage`` or its file of that name cannot be read either."""
    if run.path == damage.folder:
        return Run(run.path, "damaged", damage.reason)
    try:
        if damage.name.endswith(".jsonl") and run.status != "damaged":
            for _ in lines(run, damage.name):
                pass
    except DamagedError as other:
        return Run(run.path, "damaged", other.reason)
    return run


def _folders(path: Path) -> list[Path]:
    if not path.exists():
        raise RequestError(f"{path}: no such folder; give a run directory or a folder above runs")
    found = sorted(file.parent for file in path.rglob("status.json"))
    if not found:
        raise RequestError(f"{path}: holds no run (no status.json); give a run directory or a folder above runs")
    return found


def _read(folder: Path) -> Run:
    files = RunFiles(folder)
    word = _state(str(files.status["status"]), folder)
    config = files.optional("config.yaml", {})
    if config.get("label") is not None:  # a number, as in label=3
        config = {**config, "label": str(config["label"])}
    return Run(
        path=folder,
        status=word,
        reason=files.status.get("reason"),
        config=config,
        overrides=tuple(files.optional("overrides.yaml", [])),
        result=files.read("result.json") if word == "finished" else {},
        environment=files.optional("environment.json", {}),
        verified=word != "finished" or files.verified,
    )


def _state(word: str, folder: Path) -> str:
    return "killed" if word == "running" and not is_held(folder / "lock") else word
