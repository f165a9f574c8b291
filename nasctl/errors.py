"""What can go wrong, and with which exit code; what the command line tells in a sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RequestError(Exception):
    """The request was wrong: a sentence with value, place and remedy, or several of them. Exit code 2."""

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class MissingDataError(RequestError):
    """A file or folder of data is not there; of one that is there and is faulty, `RequestError` tells."""


class RunError(Exception):
    """The request was right but the run failed, for a reason that can be mended. Exit code 2."""


class TrialError(RunError):
    """One candidate failed; the search records it and goes on. ``work``: multiply-accumulates until it failed."""

    def __init__(self, message: str, work: int = 0) -> None:
        super().__init__(message)
        self.work = work


class StateError(RunError):
    """A state is none that what is to go on from it wrote; the fault is a clause, which a run puts into a sentence."""


class ExhaustedError(Exception):
    """A strategy has asked for all that it wanted to; the search ends."""


class SweepError(Exception):
    """A job of a sweep failed; the others went on. Exit code 1."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the run to stop; ``signal`` is its number. Ends a sweep too, as Ctrl-C does."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"stopped by signal {signal}")
        self.signal = signal


def unknown(what: str, name: object, choices: Iterable[str]) -> RequestError:
    """Return the error for a name that is none of ``choices``, with the nearest one."""
    known = [choice for choice in choices if not choice.startswith("_")]  # those are parts, not choices
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return RequestError(
        f"{what}: unknown {name!r}; {hint}{'choose from ' + ', '.join(known) if known else 'remove it'}"
    )
