"""Standard output and error that never end a command: closed, full or without a reader, in whatever encoding."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import Any

LOST: list[OSError] = []
"""Why something that was to be printed on standard output is lost, other than that its reader had enough."""


PLAINER = {"\u2500": "-", "\u00b1": "+-"}  # of the tables, where the encoding lacks them


class Lasting(io.TextIOWrapper):
    """A text stream that writes into nothing once writing has failed; ``fatal`` failures are kept in `LOST`."""

    fatal = False

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        if self.fatal and error.errno != errno.EPIPE:
            LOST.append(error)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())  # what is still in the buffer goes there
        os.close(null)


def make_lasting() -> None:
    """Make standard output and error last, and open the standard streams that are closed on nothing."""
    codecs.register_error("nasctl", _replaced)
    _fill()
    sys.stdout, sys.stderr = _lasting(sys.stdout, 1), _lasting(sys.stderr, 2)
    sys.stdout.fatal = True


def _fill() -> None:
    """Open closed standard descriptors, or the next file to be opened, such as a checkpoint, would take their place."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor, which is this one


def _lasting(stream: Any, descriptor: int) -> Lasting:
    encoding = stream.encoding if stream else "utf-8"
    live = bool(stream) and stream.isatty()
    raw = open(descriptor, "wb", closefd=False)  # noqa: SIM115  it lives as long as the process
    return Lasting(raw, encoding=encoding, errors="nasctl", line_buffering=live or descriptor == 2)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write bytes of a file's name as they are, and letters that the encoding lacks as escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    bad = error.object[error.start : error.end]
    if all("\udc80" <= letter <= "\udcff" for letter in bad):
        return bad.encode("ascii", "surrogateescape"), error.end
    plain = (PLAINER.get(letter) or letter.encode("ascii", "backslashreplace").decode() for letter in bad)
    return "".join(plain), error.end
