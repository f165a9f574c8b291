"""Run the command line in a process of its own, as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SMALL = ["space=darts", "space.search={channels: 2, layers: 2}", "space.final={channels: 2, layers: 2}"]


def start(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    """Start ``nasctl`` with ``arguments`` in ``folder``."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NASCTL_DATA": str(folder / "data")}
    command = [sys.executable, "-m", "nasctl", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[str], seconds: float = 300) -> tuple[int, str, str]:
    """Wait for a command and return exit code, standard output and standard error."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def nasctl(arguments: list[str], folder: Path) -> tuple[int, str, str]:
    """Run ``nasctl`` with ``arguments`` in ``folder`` to its end."""
    return finish(start(arguments, folder))
