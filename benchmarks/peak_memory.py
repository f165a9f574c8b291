"""Peak memory of a search step: a fresh process per implementation, its high-water mark less what it held before.

On a GPU it is what torch held; on a CPU, Linux only, the marks are read from /proc, since those of `getrusage` are
inherited from the parent.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks.problem import DEVICE, Rows
from benchmarks.search_step import PlainStep, ours

CASES = [("first_order", 16), ("first_order", 64)]


def rows() -> Rows:
    """Yield MiB in place of seconds."""
    for unroll, batch in CASES:
        mine, plain = (_fresh(who, unroll, batch) for who in ("ours", "plain"))
        yield f"peak MiB of a search step, {unroll}, batch {batch} / plain NCHW", mine, plain, plain / mine


def _fresh(who: str, unroll: str, batch: int) -> float:
    command = [sys.executable, "-m", "benchmarks.peak_memory", who, unroll, str(batch)]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def measure(who: str, unroll: str, batch: int) -> float:
    """Return the MiB by which the high-water mark of two steps is above what this process held before them."""
    step = ours(unroll, batch, "channels_last") if who == "ours" else PlainStep(batch, "NCHW", unroll)
    before = _status("VmRSS") if DEVICE.type == "cpu" else torch.cuda.memory_allocated() / 1024
    step()
    step()
    highest = _status("VmHWM") if DEVICE.type == "cpu" else torch.cuda.max_memory_allocated() / 1024
    return (highest - before) / 1024


def _status(name: str) -> int:
    """Return an entry of the process's status in KiB."""
    return int(re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])  # type: ignore[index]


if __name__ == "__main__":
    print(measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))
