"""What becomes of the jobs of a command: of one, or of a sweep, in which none stops another.

A job whose run another process is at work on is left for later, and then waited for.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nasctl.errors import Interrupted, RequestError, RunError
from nasctl.files import BusyError, is_held
from nasctl.system_errors import in_words

SECONDS = 0.2  # between two looks at the lock of a run that another process holds

Job = Callable[[dict[str, Any]], None]
Compose = Callable[[], dict[str, Any]]


class Jobs:
    """Runs jobs of ``verb``, keeps what a single one raised, and says at once what a job of a sweep raised."""

    def __init__(self, verb: str, job: Job) -> None:
        self.verb, self.job = verb, job
        self.process = os.getpid()
        self.raised: BaseException | None = None
        self.failed: list[BaseException] = []  # of a sweep whose jobs run in this process
        self.postponed: list[tuple[str, dict[str, Any]]] = []

    def run(self, compose: Compose) -> None:
        """Run the only job; a raise here would have Hydra print its own line first."""
        try:
            self.job(compose())
        except BaseException as error:
            self.raised = error

    def run_in_sweep(self, name: str, compose: Compose) -> None:
        """Run a job, or postpone it if its run is another process's now."""
        try:
            self._start(name, compose())
        except BaseException as error:
            self._note(name, error)
            raise

    def _start(self, name: str, config: dict[str, Any]) -> None:
        if os.getpid() != self.process:  # a launcher's process, which would forget what it postpones
            return when_free(self.job, config)
        try:
            self.job(config)
        except BusyError:
            self.postponed.append((name, config))

    def run_postponed(self) -> None:
        """Run what was postponed, each job as soon as its run is free."""
        for name, config in self.postponed:
            try:
                when_free(self.job, config)
            except Exception as error:
                self._note(name, error)

    def _note(self, name: str, error: BaseException) -> None:
        self.failed.append(error)
        said = in_words(error)
        print(f"nasctl {self.verb}: {name}: {said}", file=sys.stderr)
        if not isinstance(said, RequestError | RunError | Interrupted):
            traceback.print_exception(error)


def when_free(job: Job, config: Mapping[str, Any]) -> None:
    """Run ``job`` as soon as no other process is at work on its run; it shows what the other one finished."""
    told = False
    while True:
        try:
            return job(dict(config))
        except BusyError as busy:
            if not (told or busy.over):
                print(f"nasctl: {busy.place}: {busy.who} is at work on this run; waiting for it", file=sys.stderr)
                told = True
            if not busy.over:
                _wait(busy.place)


def _wait(place: Path) -> None:
    """Return when no other process holds the run's lock; the job itself would read its data before it finds out."""
    time.sleep(SECONDS)
    while is_held(place / "lock"):
        time.sleep(SECONDS)
