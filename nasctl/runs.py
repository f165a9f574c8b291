"""The run directory: write it, append to it, checkpoint, resume, lock.

Everything that decides the result is in the checkpoint; nothing with a clock in it goes to trials.jsonl.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from nasctl import received
from nasctl.core import Interrupted, RequestError, RunError, State
from nasctl.files import full, lock, read_lines, whole_lines, write_whole
from nasctl.links import open_to_append, refuse_links
from nasctl.state_file import load_state
from nasctl.text import shown_lines

log = logging.getLogger("nasctl")

CHECKPOINT, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"
NOT_COMPARED = ("signature", "overrides", "choices", "resume", "paths", "checkpoint", "traceback", "label", "run_dir")
COST_SECONDS = 5.0  # at least, between two lines of costs.jsonl
Watch = Callable[[Mapping[str, Any]], None]


class Run:
    """One run directory, held by one process at a time.

    As a context manager it takes the lock, writes status.json whatever happens, and turns SIGINT and SIGTERM
    into `Interrupted` at the next ``tick``. ``state`` is what the last checkpoint held, or None.
    """

    def __init__(self, path: Path, config: Mapping[str, Any], *, phase: str, checkpoint_seconds: float) -> None:
        self.path, self.config, self.phase = path, config, phase
        self.checkpoint_seconds = checkpoint_seconds
        self.state: State | None = None
        self._sizes: dict[str, int] = {}
        self.watch: Watch = lambda values: None
        self._signal: int | None = None
        self._files: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        refuse_links(self.path)
        self._exit = contextlib.ExitStack()
        self._exit.enter_context(lock(self.path / "lock"))
        self._exit.enter_context(_logging_to(self.path / "log.txt"))
        self._exit.enter_context(self._signals())
        try:
            self._open()
        except BaseException:
            self._exit.close()
            raise
        return self

    def _open(self) -> None:
        saved = load_checkpoint(self.path)
        self.state, self._sizes = (None, {}) if saved is None else _parts(self.path, saved)
        for name in ("trials.jsonl", "history.jsonl", "replicas.jsonl", "correlation.jsonl"):
            self._truncate(name, self._sizes.get(name, 0))
        costs = self.path / "costs.jsonl"
        self._truncate("costs.jsonl", sum(map(len, whole_lines(costs))))
        self._spent = sum(line["seconds"] for line in read_lines(costs))
        self.write_text("config.yaml", yaml.safe_dump(dict(self.config), sort_keys=False))
        self.write_text("overrides.yaml", yaml.safe_dump(self.config["overrides"]))
        self.write("status.json", {"status": "running", "reason": None})
        self._saved = self._charged = time.monotonic()

    def restore(self, load: Callable[[State], None]) -> None:
        """Hand what the last checkpoint held to ``load``, if there is one; `RequestError` if it is another run's."""
        if self.state is None:
            return
        try:
            load(self.state)
        except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise RequestError(
                f"{self.path}: its checkpoint does not fit these settings ({type(error).__name__}: {error}); remove "
                "the directory to start over"
            ) from error

    def __exit__(self, kind: type | None, error: BaseException | None, tb: TracebackType | None) -> bool | None:
        if error is None and self._signal is not None:
            error = Interrupted(self._signal)  # after the last tick: whoever asked still wants a stop
        if error is not None:
            log.info("".join(traceback.format_exception(error)))
        try:
            self._charge()
            self.write("status.json", _status(error))
        except RunError as full:  # the error on its way says more
            log.info(full)
        finally:
            with contextlib.suppress(OSError):  # a full disk, reported already
                self._exit.close()
        if kind is None and error is not None:
            raise error
        return None

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(number: int, frame: Any) -> None:
            if self._signal is not None:
                raise Interrupted(number)
            self._signal = number

        try:
            previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: nobody sends it signals
            previous = {}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def tick(self, state: Callable[[], State], values: Mapping[str, Any]) -> None:
        """Between two steps: show ``values``, save ``state()`` if it is time, stop if a signal came."""
        self._show(values)
        if self._signal is not None or time.monotonic() - self._saved >= self.checkpoint_seconds:
            self.save(state())
        self._stop_if_asked()

    def pulse(self, values: Mapping[str, Any]) -> None:
        """The same in the middle of a trial, where there is nothing to save."""
        self._show(values)
        self._stop_if_asked()

    def _show(self, values: Mapping[str, Any]) -> None:
        if time.monotonic() - self._charged >= COST_SECONDS:
            self._charge()
        self.watch(values)

    def _stop_if_asked(self) -> None:
        if self._signal is not None:
            raise Interrupted(self._signal)

    def _charge(self) -> None:
        _synchronize()
        now = time.monotonic()
        self.append("costs.jsonl", {"phase": self.phase, "seconds": now - self._charged})
        self._spent += now - self._charged
        self._charged = now

    def cost(self) -> float:
        """Return the device-seconds spent so far, over all resumes; work done twice counts twice."""
        _synchronize()
        return self._spent + time.monotonic() - self._charged

    def append(self, name: str, line: Mapping[str, Any]) -> None:
        """Add a line to a .jsonl file of the run."""
        if name not in self._files:
            self._files[name] = self._exit.enter_context(open_to_append(self.path / name))
        try:
            self._files[name].write(json.dumps(line) + "\n")
            self._files[name].flush()
        except OSError as error:
            raise full(self.path / name, error) from error

    def write(self, name: str, data: Mapping[str, Any]) -> None:
        """Write a JSON file of the run, whole or not at all."""
        self.write_text(name, json.dumps(data, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> None:
        write_whole(self.path / name, lambda file: file.write(text.encode()))

    def save(self, state: State) -> None:
        """Write the checkpoint, and keep the one before it."""
        import torch

        for file in self._files.values():
            os.fsync(file.fileno())
        self._sizes |= {name: file.tell() for name, file in self._files.items()}
        checkpoint = self.path / CHECKPOINT

        def keep_previous() -> None:
            if checkpoint.exists():
                os.replace(checkpoint, self.path / PREVIOUS)

        saved = {"sizes": self._sizes, "state": state}
        write_whole(checkpoint, lambda file: torch.save(saved, file), before_replacing=keep_previous)
        self._saved = time.monotonic()

    def save_weights(self, name: str, weights: State) -> None:
        import torch

        write_whole(self.path / name, lambda file: torch.save(weights, file))

    def _truncate(self, name: str, size: int) -> None:
        if (self.path / name).exists():
            os.truncate(self.path / name, size)

    def check_config(self) -> None:
        """Raise `RequestError` if the directory holds a run of other settings or of another seed."""
        path = self.path / "config.yaml"
        there = received.config(self.path) if os.path.lexists(path) else self.config
        if any(there.get(key) != self.config.get(key) for key in ("signature", "seed")):
            raise RequestError(
                f"{self.path}: holds a run of another configuration ({difference(there, self.config)}); "
                "choose another run_dir"
            )


def load_checkpoint(folder: Path) -> State | None:
    """Return the newest checkpoint of a run that can be read; RequestError if there are some, and none can."""
    found = [folder / name for name in (CHECKPOINT, PREVIOUS) if (folder / name).exists()]
    for path in found:
        try:
            return load_state(path)
        except Exception as error:  # whatever a damaged file makes torch raise
            log.warning("%s: cannot be read (%s); trying the previous one", path, type(error).__name__)
            log.info(error)
    if found:
        raise RequestError(f"{folder}: no checkpoint can be read; remove the directory to start over")
    return None


def _parts(path: Path, saved: Any) -> tuple[State, dict[str, int]]:
    """Return the state and the sizes of a checkpoint, or raise `RequestError` for what is none."""
    state, sizes = (saved.get("state"), saved.get("sizes")) if isinstance(saved, dict) else (None, None)
    if (
        not isinstance(state, dict)
        or not isinstance(sizes, dict)
        or not all(isinstance(n, int) for n in sizes.values())
    ):
        raise RequestError(f"{path}: its checkpoint is that of no run; remove the directory to start over")
    return state, sizes


def _status(error: BaseException | None) -> dict[str, str | None]:
    """Return the content of status.json for a run that ended with ``error``."""
    if error is None:
        return {"status": "finished", "reason": None}
    stopped = isinstance(error, KeyboardInterrupt)
    return {"status": "interrupted" if stopped else "failed", "reason": str(error) or type(error).__name__}


def difference(a: Any, b: Any, path: str = "") -> str:
    """Return the first setting in which two configurations differ, as ``path: a there, b here``."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in [k for k in a if k not in NOT_COMPARED]:
            if a[key] != b.get(key):
                return difference(a[key], b.get(key), f"{path}.{key}".lstrip("."))
    return f"{path}: {a!r} there, {b!r} here"


@contextlib.contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Write everything to the run's log, and warnings to the terminal as well."""
    file, terminal = logging.FileHandler(path), logging.StreamHandler()
    file.setFormatter(Shown("%(asctime)s %(levelname)s %(message)s"))
    terminal.setFormatter(Shown())
    terminal.setLevel(logging.WARNING)
    log.propagate = False
    log.setLevel(logging.INFO)
    log.handlers = [file, terminal]
    try:
        yield
    finally:
        log.handlers = []
        file.close()


class Shown(logging.Formatter):
    """Writes what would steer a terminal as escapes."""

    def format(self, record: logging.LogRecord) -> str:
        return shown_lines(super().format(record))


def _synchronize() -> None:
    """Wait for the GPU, so that its seconds are counted where they were spent."""
    import torch

    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()
