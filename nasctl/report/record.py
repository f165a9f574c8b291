"""A run as its directory records it: status.json, config.yaml, overrides.yaml, result.json, trials.jsonl.

Nothing is written. A run whose files cannot be read has the status ``damaged`` with the reason; it is shown
like other unfinished runs rather than ending the report.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nasctl import received
from nasctl.core import RequestError

Json = Mapping[str, Any]

DEFAULT_ROOT = "outputs"
ERROR, PERPLEXITY = "error (%)", "perplexity"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESULT_KEYS = ("verb", "signature", "seed", "error", "error_kind", "params", "macs", "cost", "device")
_RETRAIN_KEYS = ("source", "recipe")


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
    def limits(self) -> dict[str, float]:
        """Return the limits that the run was given, by resource; empty without a constraint."""
        node = self.config.get("constraint") or {}
        return dict(node.get("limits") or ({node["resource"]: node["limit"]} if "limit" in node else {}))

    def unfinished(self) -> str:
        """Return why there is no result: the status, with the reason where one is known."""
        return f"{self.status}: {self.reason}" if self.reason else self.status

    def number(self, key: str) -> float | None:
        """Return a figure of result.json; None where it is missing, null or not finite."""
        return finite(self.result.get(key))


def finite(value: Any) -> float | None:
    """Return ``value`` if it is a finite number."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def find(paths: Sequence[str | Path]) -> list[Run]:
    """Return the runs at or below ``paths`` (default outputs/), each once, or raise `RequestError`."""
    folders = [folder for path in paths or [DEFAULT_ROOT] for folder in _folders(Path(path))]
    return [read(folder) for folder in {folder.resolve(): folder for folder in folders}.values()]


def read(folder: Path) -> Run:
    """Return the run that lives in ``folder``."""
    try:
        return _checked(_read(folder))
    except (OSError, ValueError, RecursionError, RequestError, yaml.YAMLError) as error:
        return Run(folder, "damaged", " ".join(str(error).split()))


def _checked(run: Run) -> Run:
    """Return the run if what its records hold is of the expected kinds, or raise `RequestError`."""
    received.check(run.path / "status.json", {"reason": run.reason}, received.SHAPES)
    received.check(run.path / "config.yaml", run.config, received.SHAPES)
    received.check(run.path / "result.json", run.result, received.MEASURED)
    received.check(run.path / "environment.json", run.environment, received.MEASURED)
    return run


def trials(run: Run) -> Iterator[Json]:
    """Yield the lines of trials.jsonl."""
    return lines(run, "trials.jsonl")


def lines(run: Run, name: str) -> Iterator[Json]:
    """Yield the lines of a .jsonl file, none if it is missing; a last line cut short by a kill ends them."""
    path = run.path / name
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith("\n"):
                yield _line(path, number, line)


def _line(path: Path, number: int, line: str) -> Json:
    try:
        return json.loads(line)
    except ValueError:
        raise RequestError(f"{path}, line {number}: not JSON; move the run out of the way or run it again") from None


def _folders(path: Path) -> list[Path]:
    if not path.exists():
        raise RequestError(f"{path}: no such folder; give a run directory or a folder above runs")
    found = sorted(file.parent for file in path.rglob("status.json"))
    if not found:
        raise RequestError(f"{path}: holds no run (no status.json); give a run directory or a folder above runs")
    return found


def _read(folder: Path) -> Run:
    status = _json(folder / "status.json")
    word = _state(str(status.get("status")), folder)
    return Run(
        path=folder,
        status=word,
        reason=status.get("reason"),
        config=_yaml(folder / "config.yaml", {}),
        overrides=tuple(map(str, _yaml(folder / "overrides.yaml", []))),
        result=_result(folder) if word == "finished" else {},
        environment=_json(folder / "environment.json") if (folder / "environment.json").exists() else {},
    )


def _state(word: str, folder: Path) -> str:
    return "killed" if word == "running" and not _is_locked(folder / "lock") else word


def _is_locked(path: Path) -> bool:
    """Whether a living process holds the flock; the shared lock tried here is let go at once."""
    if not path.is_file():
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _result(folder: Path) -> Json:
    result = _json(folder / "result.json")
    needed = _RESULT_KEYS + (_RETRAIN_KEYS if result.get("verb") == "retrain" else ())
    missing = [key for key in needed if key not in result]
    if missing:
        raise ValueError(f"result.json lacks {', '.join(missing)}")
    return result


def _text(path: Path) -> str:
    """Return the text of a record; a pipe or a device, which would never end, is none."""
    if not path.is_file():
        raise ValueError(f"{path.name} is missing, or no regular file")
    return path.read_text(encoding="utf-8")


def _json(path: Path) -> Json:
    try:
        content = json.loads(_text(path))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} holds no mapping")
    return content


def _yaml(path: Path, empty: Any) -> Any:
    if not os.path.lexists(path):
        return empty
    content = yaml.load(_text(path), _LOADER) or empty
    if not isinstance(content, type(empty)):
        raise ValueError(f"{path.name} holds no {type(empty).__name__}")
    return content
