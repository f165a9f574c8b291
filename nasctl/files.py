"""Files that are whole or as they were, line files that survive a kill, and locks that die with their process."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from nasctl.core import RequestError, RunError
from nasctl.links import no_link

LOCK_ATTEMPTS = 4


def write_whole(path: Path, write: Callable[[Any], Any], before_replacing: Callable[[], None] = lambda: None) -> None:
    """Write a file through a temporary one: it is whole, or as it was. RunError if the disk is full."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # of a killed process, or a link that somebody laid
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        before_replacing()
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch.save reports a full disk as RuntimeError
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise full(path, error) from error


def full(path: Path, error: Exception) -> RunError:
    return RunError(f"{path}: cannot be written ({error}); free some disk space and give the command again to resume")


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold an flock on ``path``, which a killed process cannot leave behind."""
    with open(path, "a+", opener=no_link) as file:
        if not any(_locked(file, attempt) for attempt in range(LOCK_ATTEMPTS)):
            file.seek(0)
            raise RequestError(
                f"{path.parent}: process {file.read().strip()} is at work on this run; wait for it or stop it"
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _locked(file: IO[str], attempt: int) -> bool:
    time.sleep(0.05 * min(attempt, 1))  # `nasctl ls runs` holds a lock for an instant, to see whether it can
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file that end; one cut short by a kill is left out."""
    return [line for line in path.read_bytes().splitlines(True) if line.endswith(b"\n")] if path.exists() else []


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a .jsonl file."""
    return [json.loads(line) for line in whole_lines(path)]
