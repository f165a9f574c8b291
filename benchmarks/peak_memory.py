"""Peak memory of a search step: a fresh process per implementation, its high-water mark less that before the step."""

from __future__ import annotations

import resource
import subprocess
import sys

from benchmarks.problem import Rows
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
    """Return the MiB that two steps add to the high-water mark of this process."""
    step = ours(unroll, batch, "channels_last") if who == "ours" else PlainStep(batch, "NCHW", unroll)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step()
    step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


if __name__ == "__main__":
    print(measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))
