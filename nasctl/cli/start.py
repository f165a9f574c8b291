"""Where the command starts: imports next to nothing before signals are handled, so that Ctrl-C is never a traceback."""

from __future__ import annotations

import gc
import os
import sys

NO_OUTPUT = "standard output cannot be written"


def main() -> None:
    """Run the command line and exit with its code."""
    import _signal  # type: ignore[import-not-found]  # built in: until more is imported, Ctrl-C ends without a word

    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from nasctl import signals

    signals.handle(signals.stop)
    _change_to_utf8()
    code = _run()
    signals.handle(signals.DEFAULT)  # the interpreter's own end is not worth a traceback either
    gc.freeze()  # at its end the interpreter would look for cycles among all that torch has loaded: seconds
    sys.exit(code)


def _change_to_utf8() -> None:
    """Start anew in Python's UTF-8 mode where names of files are read in another encoding, such as ASCII."""
    if sys.getfilesystemencoding() != "utf-8":
        os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding if sys.stdout else "utf-8")
        os.execv(sys.executable, [sys.executable, "-X", "utf8", "-m", "nasctl", *sys.argv[1:]])


def _run() -> int:
    from nasctl.cli import streams
    from nasctl.errors import Interrupted

    streams.make_lasting()
    try:
        from nasctl.cli.main import run

        code = run(sys.argv[1:])
        sys.stdout.flush()
    except Interrupted as stopped:  # before the verb, or after it
        print(f"nasctl: {stopped}", file=sys.stderr)
        return 128 + stopped.signal
    if streams.LOST and code == 0:
        print(f"nasctl: {NO_OUTPUT} ({streams.LOST[0].strerror}); what was recorded is whole", file=sys.stderr)
        return 2
    return code
