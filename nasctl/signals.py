"""The signals that ask a run to save and stop: Ctrl-C, kill, a terminal that closes, a scheduler ahead of time.

SIGUSR1 and SIGUSR2 are what schedulers send ahead of a pre-emption (Slurm's ``--signal``, submitit).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ALWAYS = (signal.SIGINT, signal.SIGTERM)
UNLESS_IGNORED = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)  # nohup ignores the first
DEFAULT = signal.SIG_DFL
Handler = Callable[[int, Any], None]


def wanted() -> list[signal.Signals]:
    """Return the signals that stop; those that whoever started the process had ignored stay ignored."""
    return [*ALWAYS, *(number for number in UNLESS_IGNORED if signal.getsignal(number) is not signal.SIG_IGN)]


def handle(handler: Handler | signal.Handlers) -> dict[signal.Signals, Any]:
    """Have the signals handled by ``handler``; return what handled them before."""
    try:
        return {number: signal.signal(number, handler) for number in wanted()}
    except ValueError:  # not the main thread: nobody sends it signals
        return {}


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Have the signals handled by ``handler`` for a while."""
    previous = handle(handler)
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


def stop(number: int, frame: Any) -> None:
    """End the command: at once while modules are imported, where there is nothing to lose, else as Ctrl-C does."""
    if _imports(frame):
        os.write(2, f"nasctl: stopped by signal {number}; give the same command again\n".encode())
        os._exit(128 + number)
    from nasctl.errors import Interrupted

    raise Interrupted(number)


def _imports(frame: Any) -> bool:
    """Return whether a frame lies within an import, which would turn the exception into another one."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
