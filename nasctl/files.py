"""Files that are whole or as they were, line files that survive a kill, and locks that die with their process."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from nasctl.errors import RequestError, RunError
from nasctl.symlinks import no_link

LOCK_ATTEMPTS = 4


NO_SYNC = (errno.EINVAL, errno.EBADF, errno.ENOTSUP)  # of file systems that cannot sync a folder


class BusyError(RequestError):
    """Another process, ``who``, is at work on the run in ``place``, or was a moment ago and is ``over``."""

    def __init__(self, place: Path, who: str, over: bool = False) -> None:
        super().__init__(f"{place}: {who} is at work on this run; wait for it or stop it")
        self.place, self.who, self.over = place, who, over


def write_whole(path: Path, write: Callable[[Any], Any], before_replacing: Callable[[], None] = lambda: None) -> None:
    """Write a file through a temporary one: it is whole, or as it was, even after a power loss.

    Content and name are on the disk when this returns. RunError if the disk is full.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # of a killed process, or a link that somebody laid
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        before_replacing()
        os.replace(temporary, path)
        sync_folder(path.parent)
    except (OSError, RuntimeError) as error:  # torch.save reports a full disk as RuntimeError
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise full(path, error) from error


def sync_folder(folder: Path) -> None:
    """Have the names in ``folder`` on the disk: a file that was created or renamed is lost without it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create ``folder`` and those above it, and have their names on the disk."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)


def full(path: Path, error: Exception) -> RunError:
    return RunError(f"{path}: cannot be written ({error}); free some disk space and give the command again to resume")


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold an flock on ``path``, which a killed process cannot leave behind."""
    with open(path, "a+", encoding="utf-8", opener=no_link) as file:
        if not any(_locked(file, attempt) for attempt in range(LOCK_ATTEMPTS)):
            file.seek(0)
            raise BusyError(path.parent, f"process {file.read().strip()}")
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


def is_held(path: Path) -> bool:
    """Return whether a process holds the flock on ``path``; the shared one that is tried is let go at once."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def whole_size(path: Path) -> int:
    """Return the bytes of the lines of a file that end; one cut short by a kill is left out."""
    return path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0


def is_file(text: str) -> bool:
    """Return whether ``text`` is the path of a file; a text that no path can be is none."""
    with contextlib.suppress(OSError, ValueError):
        return Path(text).is_file()
    return False


def is_folder(text: str) -> bool:
    """Return whether ``text`` is the path of a folder; a text that no path can be is none."""
    with contextlib.suppress(OSError, ValueError):
        return Path(text).is_dir()
    return False
