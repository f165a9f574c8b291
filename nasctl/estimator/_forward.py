"""The forward pass of any candidate through a supernet, with its multiply-accumulates."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from nasctl.compilation import with_graphs
from nasctl.core import Candidate
from nasctl.estimator._work import Meter, PathMeter

log = logging.getLogger("nasctl")

Path = tuple[str, tuple[int, ...]]
"""What decides which layers run: picked with the architecture, active with the active options, or mixed."""


class Forward:
    """Maps inputs and a candidate to logits; a mixture may be compiled, a path, another network each time, is not."""

    def __init__(self, net: nn.Module, device: torch.device, *, unroll: str, compile: bool, cuda_graph: bool) -> None:
        if unroll == "exact" and (compile or cuda_graph):
            log.warning("estimator.unroll=exact differentiates twice, which compiled code cannot; going on without it")
            compile = cuda_graph = False
        if unroll == "finite_difference" and cuda_graph:
            log.warning("estimator.cuda_graph=true needs unroll=first_order: a graph reuses the memory of gradients")
            cuda_graph = False
        self.net, self.weights = net, dict(net.named_parameters())
        self.mixed = with_graphs(self._mixed, device, "estimator", compile=compile, cuda_graph=cuda_graph)
        self.meters: dict[str, Meter] = {"mixed": Meter(), "picked": PathMeter(), "active": PathMeter()}

    def __call__(self, x: Tensor, candidate: Candidate, weights: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the logits of a candidate, with ``weights`` in place of the network's own."""
        path, rows = _path(candidate), candidate.weights
        meter = self.meters[path[0]]
        if rows is None or candidate.active is not None:
            return meter.run(path, lambda: self._alone(x, candidate, weights), len(x))
        mixed = self.mixed if path in meter.known else self._mixed  # a compiled run cannot be counted
        return meter.run(path, lambda: mixed(dict(weights or self.weights), x, list(rows)), len(x))

    def _alone(self, x: Tensor, candidate: Candidate, weights: Mapping[str, Tensor] | None) -> Tensor:
        if weights is None:  # putting all weights of a supernet in place takes longer than a small path
            return self.net(x, candidate)
        return functional_call(self.net, dict(weights), (x, candidate))

    def _mixed(self, weights: Mapping[str, Tensor], x: Tensor, rows: Sequence[Tensor]) -> Tensor:
        return functional_call(self.net, dict(weights), (x, Candidate((), rows)))

    def macs(self, candidate: Candidate) -> int:
        """Return the multiply-accumulates of one example of a candidate that has just run."""
        path = _path(candidate)
        return self.meters[path[0]].macs(path)


def _path(candidate: Candidate) -> Path:
    if candidate.weights is None:
        return "picked", candidate.arch
    return ("mixed", ()) if candidate.active is None else ("active", tuple(candidate.active))
