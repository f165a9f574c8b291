"""Batch-norm statistics of one path: those that the shared weights' training leaves behind mix all paths.

Guo et al. 2020, https://arxiv.org/abs/1904.00420, section 3.4: before a path is scored, its norms' statistics are
computed anew from training data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


class Recalibration:
    """Averages the statistics of ``batches`` training batches, all of equal weight; with 0 it does nothing."""

    def __init__(self, net: nn.Module, batches: int) -> None:
        self.net, self.batches = net, batches
        self.norms = [module for module in net.modules() if isinstance(module, _BatchNorm)]

    @contextmanager
    def applied(self, run: Callable[[int], object]) -> Iterator[None]:
        """Let the network use, within the context, the statistics of the path that ``run(i)`` takes on batch i."""
        if not self.batches:
            yield
            return
        momenta = [norm.momentum for norm in self.norms]
        try:
            for i in range(self.batches):
                self._set([1 / (i + 1)] * len(self.norms))  # the mean of all batches so far
                run(i)
            self.net.eval()
            yield
        finally:
            self.net.train()
            self._set(momenta)

    def _set(self, momenta: list[float | None] | list[float]) -> None:
        for norm, momentum in zip(self.norms, momenta, strict=True):
            norm.momentum = momentum
