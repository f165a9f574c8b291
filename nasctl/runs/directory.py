"""The run directory: write it, append to it, checkpoint, resume, lock.

Everything that decides the result is in the checkpoint; nothing with a clock in it goes to trials.jsonl.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import yaml

from nasctl.core import State
from nasctl.errors import Interrupted, RequestError, RunError, StateError
from nasctl.files import BusyError, full, lock, make_folder, sync_folder, whole_size, write_whole
from nasctl.runs import schema, tensors
from nasctl.runs.children import Children
from nasctl.runs.plain import FaultError, short
from nasctl.runs.reader import STATUS, DamagedError, RunFiles, contents, hashed
from nasctl.signals import handled
from nasctl.symlinks import open_to_append, refuse_links
from nasctl.terminal_text import shown_lines

log = logging.getLogger("nasctl")

CHECKPOINT, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"
NOT_COMPARED = (
    *("signature", "overrides", "choices", "resume", "paths", "checkpoint", "traceback", "label", "run_dir", "cut"),
)
CUT_BACK = ("trials.jsonl", "history.jsonl", "replicas.jsonl", "correlation.jsonl")  # to what the checkpoint counts on
COSTS = "costs.jsonl"
COST_SECONDS = 5.0  # at least, between two lines of costs.jsonl
Watch = Callable[[Mapping[str, Any]], None]


class Resumable(Protocol):
    """What goes on from a state."""

    def load_state_dict(self, state: State) -> None: ...


class Run:
    """One run directory, held by one process at a time.

    As a context manager it takes the lock, writes status.json whatever happens, and turns the signals of
    `nasctl.signals` into `Interrupted` at the next ``tick``. ``state`` is what the last checkpoint held, or None.
    """

    def __init__(self, path: Path, config: Mapping[str, Any], *, phase: str, checkpoint_seconds: float) -> None:
        self.path, self.config, self.phase = path, config, phase
        self.checkpoint_seconds = checkpoint_seconds
        self.state: State | None = None
        self._sizes: dict[str, int] = {}
        self._hashes: dict[str, Any] = {}  # of the .jsonl files so far
        self._unfinished = False  # whether it was found so before it is entered
        self.watch: Watch = lambda values: None
        self.children = Children(path)
        self._signal: int | None = None
        self._files: dict[str, Any] = {}

    def __enter__(self) -> Self:
        make_folder(self.path)
        refuse_links(self.path)
        self._exit = contextlib.ExitStack()
        try:
            self._exit.enter_context(lock(self.path / "lock"))
            self._check_still_unfinished()
            self._exit.enter_context(_logging_to(self.path / "log.txt"))
            self._exit.enter_context(handled(self._stop))
            self._open()
        except BaseException:
            self._exit.close()
            raise
        return self

    def _check_still_unfinished(self) -> None:
        """Raise `BusyError` if another process has finished the run since this one looked."""
        if self._unfinished and is_finished(self.path):
            raise BusyError(self.path, "another process", over=True)

    def _open(self) -> None:
        saved = load_checkpoint(self.path) or {"state": None, "sizes": {}}
        self.state, self._sizes = saved["state"], saved["sizes"]
        self._check_lines(saved.get("hashes", {}))
        files = RunFiles(self.path)
        if files.has("environment.json"):  # which says with how many threads it goes on
            files.verify("environment.json")
        earlier = list(files.lines(COSTS))
        self._spent = sum(line["seconds"] for line in earlier)
        self._cpu_spent = _total([line.get("cpu_seconds") for line in earlier])
        self.write(STATUS, {"status": "running", "reason": None})  # first: from here on no hash in it would hold
        for name in CUT_BACK:
            self._truncate(name, self._sizes.get(name, 0))
        self._hashes[COSTS] = hashed(self._truncate(COSTS, whole_size(self.path / COSTS)))
        self.write_text("config.yaml", yaml.dump(dict(self.config), Dumper=_Dumper, sort_keys=False))
        self.write_text("overrides.yaml", yaml.dump(self.config["overrides"], Dumper=_Dumper))
        self._saved = self._charged = time.monotonic()
        self._cpu_charged = _cpu_seconds()

    def _check_lines(self, hashes: Mapping[str, str]) -> None:
        """Raise `DamagedError` if a .jsonl file is not, as far as the checkpoint counts on it, what it was then."""
        for name, size in self._sizes.items():
            path = self.path / name
            data = b""
            if path.is_file():
                with path.open("rb") as file:
                    data = file.read(size)
            if len(data) < size:
                fault = f"has {len(data):,} bytes, but {CHECKPOINT} counts on {size:,}"
                raise DamagedError(self.path, name, fault)
            self._hashes[name] = hashed(data)
            if self._hashes[name].hexdigest() != hashes.get(name, self._hashes[name].hexdigest()):
                fault = f"its first {size:,} bytes are not those that {CHECKPOINT} counts on"
                raise DamagedError(self.path, name, fault)

    def __exit__(self, kind: type | None, error: BaseException | None, tb: TracebackType | None) -> bool | None:
        if error is None and self._signal is not None:
            error = Interrupted(self._signal)  # after the last tick: whoever asked still wants a stop
        if error is not None:
            log.info("".join(traceback.format_exception(error)))
        if isinstance(error, StateError):  # of a part that goes on from its state later than `restore`
            kind, error = None, _no_state(self.path, error)
        try:
            self._charge()
            self._sync_lines()
            self.write(STATUS, _status(error) | {"files": contents(self.path)})
        except (RunError, OSError) as full:  # the error on its way says more
            log.info(full)
        finally:
            with contextlib.suppress(OSError):  # a full disk, reported already
                self._exit.close()
        if kind is None and error is not None:
            raise error
        return None

    def _stop(self, number: int, frame: Any) -> None:
        if self._signal is not None:
            raise Interrupted(number)
        self._signal = number

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
        now, cpu = time.monotonic(), _cpu_seconds()
        spent = {"seconds": now - self._charged, "cpu_seconds": cpu - self._cpu_charged}
        self.append(COSTS, {"phase": self.phase, **spent})
        self._spent += spent["seconds"]
        self._cpu_spent = _total([self._cpu_spent, spent["cpu_seconds"]])
        self._charged, self._cpu_charged = now, cpu

    def cost(self) -> float:
        """Return the device-seconds spent so far, over all resumes; work done twice counts twice."""
        _synchronize()
        return float(self._spent + time.monotonic() - self._charged)

    def cpu_cost(self) -> float | None:
        """Return the CPU seconds of the process so far, its children's included once they ended, over all resumes.

        None where a part of the run was done by a version that did not record them.
        """
        return _total([self._cpu_spent, _cpu_seconds() - self._cpu_charged])

    def append(self, name: str, line: Mapping[str, Any]) -> None:
        """Add a line to a .jsonl file of the run."""
        data = json.dumps(line).encode() + b"\n"
        try:
            if name not in self._files:
                self._files[name] = self._exit.enter_context(open_to_append(self.path / name))
                self._hashes.setdefault(name, hashed())
            self._files[name].write(data)
            self._files[name].flush()
        except OSError as error:
            raise full(self.path / name, error) from error
        self._hashes[name].update(data)

    def write(self, name: str, data: Mapping[str, Any]) -> None:
        """Write a JSON file of the run, whole or not at all."""
        self.write_text(name, json.dumps(data, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> None:
        write_whole(self.path / name, lambda file: file.write(text.encode()))

    def save(self, state: State) -> None:
        """Write the checkpoint, and keep the one before it."""
        import torch

        self._sync_lines()
        self._sizes |= {name: file.tell() for name, file in self._files.items()}
        checkpoint = self.path / CHECKPOINT

        def keep_previous() -> None:
            if checkpoint.exists():
                os.replace(checkpoint, self.path / PREVIOUS)

        hashes = {name: self._hashes[name].hexdigest() for name in self._sizes}
        saved = {"sizes": self._sizes, "hashes": hashes, "state": state}
        write_whole(checkpoint, lambda file: torch.save(saved, file), before_replacing=keep_previous)
        self.children.checkpointed()
        self._saved = time.monotonic()

    def _sync_lines(self) -> None:
        """Have the lines appended so far, and the names of their files, on the disk before something counts on them."""
        try:
            for file in self._files.values():
                os.fsync(file.fileno())
        except OSError as error:
            raise full(self.path, error) from error
        sync_folder(self.path)

    def restore(self, loop: Resumable) -> None:
        """Hand the state of the last checkpoint, if there is one, to ``loop``."""
        if self.state is not None:
            _load_state(self.path, loop, self.state)

    def save_weights(self, name: str, weights: State) -> None:
        import torch

        write_whole(self.path / name, lambda file: torch.save(weights, file))

    def _truncate(self, name: str, size: int) -> bytes:
        """Cut a file back to ``size`` bytes, and return them."""
        path = self.path / name
        if not path.exists():
            return b""
        os.truncate(path, size)
        return path.read_bytes()

    def is_finished(self) -> bool:
        """Return whether nothing is left to do; one that has something left is not entered once another finished it."""
        self._unfinished = not is_finished(self.path)
        return not self._unfinished

    def check_config(self) -> None:
        """Raise `RequestError` if the directory holds a run of other settings or of another seed."""
        there = RunFiles(self.path).optional("config.yaml", self.config)
        if any(there.get(key) != self.config.get(key) for key in ("signature", "seed")):
            raise RequestError(
                f"{self.path}: holds a run of another configuration ({difference(there, self.config)}); "
                "choose another run_dir"
            )


def is_finished(path: Path) -> bool:
    """Return whether status.json says that a run is finished."""
    return (path / STATUS).exists() and bool(RunFiles(path).status["status"] == "finished")


def load_checkpoint(folder: Path) -> State | None:
    """Return the newest checkpoint of a run that can be read; RequestError if there are some, and none can."""
    found = [folder / name for name in (CHECKPOINT, PREVIOUS) if (folder / name).exists()]
    for path in found:
        try:
            return _checkpoint(path)
        except FaultError as fault:
            log.warning("%s %s; trying the previous one", path, fault)
            log.info(fault.__cause__ or fault)
    if found:
        raise RequestError(f"{folder}: no checkpoint can be read; remove the directory to start over")
    return None


def _checkpoint(path: Path) -> State:
    saved: State = tensors.load(path)
    if not isinstance(saved, dict) or not all(isinstance(saved.get(key), dict) for key in ("sizes", "state")):
        raise FaultError("cannot be read (it is not a checkpoint)")
    schema.record(dict.fromkeys((*CUT_BACK, COSTS), schema.whole))(saved["sizes"], "sizes")
    if foreign := saved["sizes"].keys() - {*CUT_BACK, COSTS}:
        raise FaultError(f"cannot be read (it counts on {short(min(map(str, foreign)))})")
    schema.mapping(schema.text)(saved.get("hashes", {}), "hashes")
    return saved


def restore(files: RunFiles, part: str, loop: Resumable) -> None:
    """Hand the state of a ``part`` of a finished run to ``loop``, or raise `DamagedError`.

    The checkpoint before the last one does not stand in for it here: it is of an earlier moment.
    """
    saved = tensors.read(files, CHECKPOINT)
    state = (saved.get("state") or {}).get(part) if isinstance(saved, dict) else None
    if state is None:
        raise files.damaged(CHECKPOINT, f"holds no state of the {part}")
    _load_state(files.folder, loop, state)


def _load_state(folder: Path, loop: Resumable, state: State) -> None:
    import torch

    try:
        loop.load_state_dict(state)
    except torch.OutOfMemoryError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise _no_state(folder, error) from error


def _no_state(folder: Path, error: Exception) -> DamagedError:
    said = short(error) if isinstance(error, StateError) else f"{type(error).__name__}: {short(error)}"
    return DamagedError(folder, CHECKPOINT, f"holds no state of such a run ({said})")


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
    file, terminal = logging.FileHandler(path, encoding="utf-8"), logging.StreamHandler()
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


def _total(parts: Sequence[float | None]) -> float | None:
    """Return the sum of ``parts``; None if one is not known."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _cpu_seconds() -> float:
    """Return the CPU seconds, user and system, of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class _Dumper(yaml.SafeDumper):
    """Writes what occurs twice twice: aliases are not read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class Shown(logging.Formatter):
    """Writes what would steer a terminal as escapes."""

    def format(self, record: logging.LogRecord) -> str:
        return shown_lines(super().format(record))


def _synchronize() -> None:
    """Wait for the GPU, so that its seconds are counted where they were spent."""
    import torch

    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()
