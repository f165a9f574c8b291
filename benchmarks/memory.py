"""Memory of a process of its own, read from /proc (Linux): the marks of `getrusage` are inherited from the parent."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def fresh(module: str, *arguments: str) -> float:
    """Run ``python -m module arguments`` and return the number that it prints."""
    command = [sys.executable, "-m", module, *arguments]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)


def status(name: str) -> float:
    """Return an entry of this process's status in MiB, such as VmRSS, what it holds, or VmHWM, the most it held."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024  # type: ignore[index]
