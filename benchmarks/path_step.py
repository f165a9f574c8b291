"""The estimator's weight step on a path that is new to it, against the plain full step and a network of its own."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.pairs import alternate, seconds
from benchmarks.problem import LAYOUTS, Descent, Images, Rows, composed, space
from benchmarks.search_step import PlainStep
from nasctl import walk
from nasctl.config.build import make
from nasctl.core import Architecture, Candidate, EstimatorContext, SearchSpace
from nasctl.estimator._work import COMPARED
from nasctl.estimator.supernet import Supernet

ARCHITECTURES, BATCH, LAYOUT = 20, 16, "channels_last"
ENDLESS = 10**9  # epochs


def rows() -> Rows:
    """Yield the mean seconds over 20 random architectures of each space."""
    full = PlainStep(BATCH, "NCHW", "first_order")
    full()
    whole = statistics.median(seconds(full) for _ in range(5))
    ours, alone, ratio = means(space())
    yield f"weight step of a path, batch {BATCH} / plain full step, first order, NCHW", ours, whole, whole / ours
    yield f"weight step of a path, batch {BATCH} / its build(form=search)", ours, alone, ratio
    for name in ("enas_macro", "enas_micro", "nasbench201"):
        yield f"weight step of a path, {name}, batch {BATCH} / its build(form=search)", *means(space(name))


def means(searched: SearchSpace) -> tuple[float, float, float]:
    """Return the mean seconds of a path and of networks of their own, and the mean of their ratios."""
    draw = torch.Generator().manual_seed(0)
    sampled = [walk.uniform(searched, draw) for _ in range(ARCHITECTURES)]
    times = [alternate(*steps(searched, arch), pairs=3) for arch in sampled]
    ours, alone, ratio = (statistics.mean(column) for column in zip(*times, strict=True))
    return ours, alone, ratio


def steps(searched: SearchSpace, arch: Architecture) -> tuple[Callable[[], object], Callable[[], None]]:
    """Return the steps of the path in the estimator's supernet and of the network of its own."""
    supernet, network = estimator(searched), searched.build(searched.genotype(arch), "search")

    def ours() -> None:
        supernet.runner.counters["single"].known.clear()  # so that the step counts its work, as nearly every one does
        supernet.fit(lambda: Candidate(arch))

    for _ in range(COMPARED):
        ours()
    return ours, step(network)


def estimator(searched: SearchSpace) -> Supernet:
    """Return the estimator as shipped, in a warm-up that does not end."""
    endless = (f"estimator.{name}={ENDLESS}" for name in ("epochs", "schedule.warmup_epochs"))
    node = composed(f"estimator.batch_size={BATCH}", *endless)
    return make(node, EstimatorContext(searched, Images(BATCH), torch.device("cpu"), 0, lambda values: None))


def step(network: nn.Module) -> Callable[[], None]:
    """Return a function that takes a weight step on ``network``."""
    descent, batch = Descent(network, LAYOUT), Images(BATCH).train()
    x = batch.x.contiguous(memory_format=LAYOUTS[LAYOUT])
    return lambda: descent.step(lambda: cross_entropy(network(x), batch.y))
