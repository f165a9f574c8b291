"""The forward pass of any candidate through a supernet, with its multiply-accumulates."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.func import functional_call

from nasctl.acceleration.compiled import Compilation
from nasctl.core import Candidate
from nasctl.estimator._work import MacCounter, PathMacCounter

log = logging.getLogger("nasctl")

SETTING = "estimator.speed.compile"

Path = tuple[str, tuple[int, ...]]
"""What decides which layers run: single and the architecture, active and the active options, or mixed."""


@runtime_checkable
class CompilesStep(Protocol):
    """A network of many steps alike, of which it compiles one."""

    def compile_step(self, setting: str) -> None:
        """Compile it; ``setting`` is named where that cannot be done."""


class PathRunner:
    """Maps inputs and a candidate to logits; a mixture may be compiled, a path, another network each time, is not."""

    def __init__(self, net: nn.Module, *, compile: bool, twice: bool) -> None:
        if twice and compile:
            log.warning("%s=true: this estimator/unroll differentiates twice; going on without it", SETTING)
            compile = False
        if compile and isinstance(net, CompilesStep):
            net.compile_step(SETTING)
            compile = False
        self.net, self.weights = net, dict(net.named_parameters())
        mixed = self._mixed
        self.mixed = Compilation(mixed, SETTING, dynamic=False) if compile else mixed
        self.counters: dict[str, MacCounter] = {
            "mixed": MacCounter(),
            "single": PathMacCounter(),
            "active": PathMacCounter(),
        }

    def __call__(self, x: Any, candidate: Candidate, weights: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the logits of a candidate, with ``weights`` in place of the network's own."""
        path, mixtures = _path(candidate), candidate.weights
        counter = self.counters[path[0]]
        if mixtures is None or candidate.active is not None:
            return counter.run(path, lambda: self._independent(x, candidate, weights), len(x))
        mixed = self.mixed if path in counter.known else self._mixed  # a compiled run cannot be counted
        return counter.run(path, lambda: mixed(dict(weights or self.weights), x, list(mixtures)), len(x))

    def _independent(self, x: Any, candidate: Candidate, weights: Mapping[str, Tensor] | None) -> Tensor:
        if weights is None:  # putting all weights of a supernet in place takes longer than a small path
            outputs: Tensor = self.net(x, candidate)
        else:
            outputs = functional_call(self.net, dict(weights), (x, candidate))
        return outputs

    def _mixed(self, weights: Mapping[str, Tensor], x: Any, mixtures: Sequence[Tensor]) -> Tensor:
        outputs: Tensor = functional_call(self.net, dict(weights), (x, Candidate((), mixtures)))
        return outputs

    def on_device(self, candidate: Candidate) -> Candidate:
        """Return ``candidate`` with its weights on the device of the network."""
        if candidate.weights is None:
            return candidate
        device = next(iter(self.weights.values())).device
        return replace(candidate, weights=[mixture.to(device) for mixture in candidate.weights])

    def macs(self, candidate: Candidate) -> int:
        """Return the multiply-accumulates of one example of a candidate that has just run."""
        path = _path(candidate)
        return self.counters[path[0]].macs(path)


def _path(candidate: Candidate) -> Path:
    if candidate.weights is None:
        return "single", candidate.arch
    return ("mixed", ()) if candidate.active is None else ("active", tuple(candidate.active))
