"""Functions replayed as CUDA graphs: the same kernels, without the host launching each of them.

A step of a cell network is thousands of small kernels, which a host launches more slowly than a GPU runs them.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

log = logging.getLogger("nasctl")

WARM_UP = 3  # runs before a capture, in which libraries choose their kernels


@dataclass(frozen=True)
class Replay:
    """A captured run: where its inputs are read from, and its results, which the next replay overwrites."""

    graph: torch.cuda.CUDAGraph
    inputs: Sequence[Tensor]
    outputs: Any

    def __call__(self, *inputs: Tensor) -> Any:
        for held, given in zip(self.inputs, inputs, strict=True):
            held.copy_(given, non_blocking=True)
        self.graph.replay()
        return self.outputs


class Graph:
    """Calls a function of tensors through a graph, one for each combination of their shapes.

    The function may read whatever tensors stay where they are, such as weights, and may change those that ``kept``
    returns, such as running statistics: the runs before a capture leave no trace in them. Anything else that it does
    besides computing its results happens in those runs only. Where it cannot be captured it is called as it is, and
    one log line says so; ``setting`` is what asked for the graph.
    """

    def __init__(self, function: Callable[..., Any], setting: str, kept: Callable[[], Sequence[Tensor]]) -> None:
        self.function, self.setting, self.kept = function, setting, kept
        self.replays: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def __call__(self, *inputs: Tensor) -> Any:
        key = tuple((x.shape, x.stride(), x.dtype) for x in inputs)
        if key not in self.replays:
            self.replays[key] = self._captured(inputs)
        return self.replays[key](*inputs)

    def _captured(self, inputs: Sequence[Tensor]) -> Callable[..., Any]:
        try:
            return self._capture([x.detach().clone() for x in inputs])
        except RuntimeError as error:
            reason = str(error).strip().partition("\n")[0]
            log.warning("%s: no graph could be captured (%s); going on without it", self.setting, reason)
            return self.function

    def _capture(self, inputs: Sequence[Tensor]) -> Replay:
        self._warm_up(inputs)
        graph = torch.cuda.CUDAGraph()
        with _no_collection(), torch.cuda.graph(graph):
            outputs = self.function(*inputs)
        return Replay(graph, inputs, outputs)

    def _warm_up(self, inputs: Sequence[Tensor]) -> None:
        """Run on a stream of its own, as a capture does, and undo what the runs changed."""
        kept, random = list(self.kept()), torch.cuda.get_rng_state()
        values = [x.clone() for x in kept]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self.function(*inputs)
        torch.cuda.current_stream().wait_stream(stream)
        for held, value in zip(kept, values, strict=True):
            held.copy_(value)
        torch.cuda.set_rng_state(random)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python's garbage collector from freeing older graphs, which ends a capture."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def graphs_fit(device: torch.device, setting: str) -> bool:
    """Return whether ``device`` can replay graphs; if not, one log line says that ``setting`` is without effect."""
    if device.type != "cuda":
        log.warning("%s=true needs a CUDA device, this is a %s; going on without it", setting, device.type)
    return device.type == "cuda"
