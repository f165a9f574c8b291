"""Latency: measured milliseconds of a forward pass.

A search needs the latency of thousands of networks, so it sums measured latencies of their operations, as Cai et al.
2019 (ProxylessNAS, https://arxiv.org/abs/1812.00332, section 3.2.2) do; what a search ends with is timed whole.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import nn

from nasctl import task_kinds, walk
from nasctl.core import Architecture, Genotype, NetworkResourceContext, SearchSpace
from nasctl.errors import RequestError
from nasctl.resource._operations import Call, between, calls
from nasctl.seeds import position_seed
from nasctl.task_kinds import IMAGES, ROWS

Keep = Callable[[Mapping[str, Any]], None]


class Latency:
    """Milliseconds of the final form on ``batch_size`` examples, in evaluation mode, on one device.

    A call of an operation counts the median of ``repeats`` runs by itself, products between ``knots`` of their
    channels by linear interpolation, and the sum is scaled by what ``calibrations`` random networks take as a whole.
    A network that was timed whole counts what it took. Every figure is measured once and handed to ``keep`` before it
    is used, so that a resumed search meets the same ones.
    """

    name, unit = "latency", "ms"

    def __init__(
        self,
        context: NetworkResourceContext,
        *,
        device: Literal["same", "cpu", "cuda"],
        threads: PositiveInt,
        batch_size: PositiveInt,
        warmup: NonNegativeInt,
        repeats: PositiveInt,
        knots: Annotated[list[PositiveInt], Field(min_length=1)],
        calibrations: PositiveInt,
    ) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise RequestError("resource.device=cuda: torch finds no GPU here; use resource.device=same or cpu")
        if knots != sorted(set(knots)):
            raise RequestError(f"resource.knots={knots} must rise; sort the list and name each number once")
        what = "resource=latency is of a pass over examples"
        task_kinds.check(context.task, (IMAGES, ROWS), what, " or another resource")
        self.space, self.task = context.space, context.task
        self.device = context.device if device == "same" else torch.device(device)
        self.threads, self.batch_size, self.warmup, self.repeats = threads, batch_size, warmup, repeats
        self.knots, self.calibrations = knots, calibrations
        self.scale: float | None = None  # of sums, so that they stand for whole networks
        self.operations: dict[str, float] = {}  # milliseconds of a call
        self.networks: dict[str, float] = {}  # milliseconds, by the space's notation
        self.keep: Keep = lambda record: None
        self._sum = lru_cache(maxsize=2**16)(self._summed)

    def __call__(self, genotype: Genotype) -> float:
        """Return the milliseconds of a network: as it was timed, or else estimated."""
        name = self.space.format.notation(genotype)
        return self.networks[name] if name in self.networks else self.estimate(genotype)

    def estimate(self, genotype: Genotype) -> float:
        """Return the scaled sum over the operations of a network."""
        scale = self._calibrated() if self.scale is None else self.scale
        return scale * self._sum(json.dumps(genotype))

    def measure(self, genotype: Genotype) -> float:
        """Return the milliseconds of a network as a whole, timed when first asked for."""
        name = self.space.format.notation(genotype)
        if name not in self.networks:
            self.networks[name] = self._time_network(genotype)
            self.keep(self.record())
        return self.networks[name]

    def record(self) -> dict[str, Any]:
        """Return all that was measured, in milliseconds."""
        return {"scale": self.scale, "networks": dict(self.networks), "operations": dict(self.operations)}

    def load(self, record: Mapping[str, Any]) -> None:
        """Take over what `record` returned."""
        self.scale, self.networks, self.operations = record["scale"], record["networks"], record["operations"]

    def facts(self, genotype: Genotype) -> dict[str, Any]:
        """Return what the record says of a network: its latency as measured, and as a search has estimated it."""
        estimate = {} if self.scale is None else {"estimate": self.estimate(genotype)}
        return {"milliseconds": self.measure(genotype), **estimate, "batch_size": self.batch_size}

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Run with the threads that count, and leave torch's random streams as they were."""
        threads = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []), torch.no_grad():
                yield
        finally:
            torch.set_num_threads(threads)

    def _calibrated(self) -> float:
        """Find the scale of all sums, and return it."""
        drawn = [self.space.genotype(_random(self.space, i)) for i in range(self.calibrations)]
        self.scale = statistics.median(self.measure(g) / self._sum(json.dumps(g)) for g in drawn)
        self.keep(self.record())
        return self.scale

    def _time_network(self, genotype: Genotype) -> float:
        with self.undisturbed():
            network = self.space.build(genotype, "final").to(self.device).eval()
            batch = torch.zeros(self.batch_size, *self.task.input_shape, device=self.device)
            return self._time(lambda: network(batch))

    def _summed(self, genotype: str) -> float:
        terms = self._terms(json.loads(genotype))
        self._measure_operations(terms)
        return sum(count * self.operations[str(call)] for call, count in terms.items())

    def _terms(self, genotype: Genotype) -> dict[Call, float]:
        """Return how often each operation of the table counts."""
        with torch.device("meta"):
            network: nn.Module = self.space.build(genotype, "final")
        terms: Counter[Call] = Counter()
        for call, count in calls(network, self.task.input_shape, self.batch_size).items():
            for weight, known in between(call, self.knots):
                terms[known] += weight * count  # type: ignore[assignment]
        return dict(terms)

    def _measure_operations(self, terms: Mapping[Call, float]) -> None:
        new = [call for call in terms if str(call) not in self.operations]
        with self.undisturbed():
            self.operations |= {str(call): self._time(call.on(self.device)) for call in new}
        if new:
            self.keep(self.record())

    def _time(self, run: Callable[[], object]) -> float:
        """Return the median milliseconds of a run."""
        for _ in range(self.warmup):
            run()
        return 1e3 * statistics.median(self._seconds(run) for _ in range(self.repeats))

    def _seconds(self, run: Callable[[], object]) -> float:
        self._wait()
        start = time.perf_counter()
        run()
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def _random(space: SearchSpace, number: int) -> Architecture:
    """Return the architecture of a walk that takes each open option alike, a pure function of ``number``."""
    generator = torch.Generator().manual_seed(position_seed("latency", number))
    return walk.uniform(space, generator)
