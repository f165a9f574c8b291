"""A weight step on a picked path of the supernet, against the plain full step and against a network of its own."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.pairs import alternate, seconds
from benchmarks.problem import LAYOUTS, Descent, Images, Rows, space
from benchmarks.search_step import PlainStep
from nasctl.core import Architecture, Candidate
from nasctl.strategy import _walk

ARCHITECTURES, BATCH, LAYOUT = 20, 16, "channels_last"


def rows() -> Rows:
    """Yield the mean seconds over 20 random architectures."""
    full = PlainStep(BATCH, "NCHW", "first_order")
    full()
    whole = statistics.median(seconds(full) for _ in range(5))
    times = [alternate(*steps(arch), pairs=3) for arch in architectures()]
    ours, alone, _ = (statistics.mean(column) for column in zip(*times, strict=True))
    yield f"weight step of a path, batch {BATCH} / plain full step, first order, NCHW", ours, whole, whole / ours
    ratio = statistics.mean(ratio for *_, ratio in times)
    yield f"weight step of a path, batch {BATCH} / its build(form=search)", ours, alone, ratio


def architectures() -> list[Architecture]:
    """Return seeded uniform samples."""
    draw, darts = torch.Generator().manual_seed(0), space()
    return [_walk.uniform(darts, draw) for _ in range(ARCHITECTURES)]


def steps(arch: Architecture) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return the steps of the path in the supernet and of the network of its own."""
    darts = space()
    supernet, network = darts.supernet(), darts.build(darts.genotype(arch), "search")
    return step(supernet, lambda x: supernet(x, Candidate(arch))), step(network, network)


def step(holder: nn.Module, network: Callable) -> Callable[[], None]:
    """Return a function that takes a weight step on ``holder``."""
    descent, batch = Descent(holder, LAYOUT), Images(BATCH).train()
    x = batch.x.contiguous(memory_format=LAYOUTS[LAYOUT])
    return lambda: descent.step(lambda: cross_entropy(network(x), batch.y))
