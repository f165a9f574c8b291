"""Peak memory of a search step: a fresh process per implementation, its high-water mark less what it held before.

On a GPU it is what torch held.
"""

from __future__ import annotations

import sys

import torch

from benchmarks.memory import fresh, status
from benchmarks.problem import DEVICE, Rows
from benchmarks.search_step import PlainStep, ours

CASES = [("first_order", 16), ("first_order", 64)]


def rows() -> Rows:
    """Yield MiB in place of seconds."""
    for unroll, batch in CASES:
        mine, plain = (fresh("benchmarks.peak_memory", who, unroll, str(batch)) for who in ("ours", "plain"))
        yield f"peak MiB of a search step, {unroll}, batch {batch} / plain NCHW", mine, plain, plain / mine


def measure(who: str, unroll: str, batch: int) -> float:
    """Return the MiB by which the high-water mark of two steps is above what this process held before them."""
    step = ours(unroll, batch, "channels_last") if who == "ours" else PlainStep(batch, "NCHW", unroll)
    before = status("VmRSS") if DEVICE.type == "cpu" else torch.cuda.memory_allocated() / 2**20
    step()
    step()
    highest = status("VmHWM") if DEVICE.type == "cpu" else torch.cuda.max_memory_allocated() / 2**20
    return highest - before


if __name__ == "__main__":
    print(measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))
