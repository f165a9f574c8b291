"""Time two ways of doing the same in turn, A B A B, so that a drift of the machine's speed hits both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes, and what it has put in a GPU's queue."""
    _wait()
    start = time.perf_counter()
    work()
    _wait()
    return time.perf_counter() - start


def _wait() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def alternate(ours: Callable[[], object], plain: Callable[[], object], pairs: int) -> tuple[float, float, float]:
    """Return the median seconds of each, after a warm-up, and the median of the pairs' ratios plain / ours."""
    ours(), plain()
    times = [(seconds(ours), seconds(plain)) for _ in range(pairs)]
    mine, others = (statistics.median(column) for column in zip(*times, strict=True))
    return mine, others, statistics.median(b / a for a, b in times)
