"""The size space of NATS-Bench: the channels of five places in a network of a fixed cell.

Dong et al. 2021, https://arxiv.org/abs/2009.00437, section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pydantic import PositiveInt
from torch import nn

from nasctl.core import Genotype, Task
from nasctl.genotype_format.nats_size import PLACES, NatsSizeFormat
from nasctl.space import _chain, _count
from nasctl.space._counts import Counts
from nasctl.space._forms import resize
from nasctl.space._task import check_images
from nasctl.space.nats_size.network import CONVOLUTIONS, Form, NatsSizeSupernet, Network


class NatsSize(Counts):
    """One of ``channels`` at each of five places: 32,768 architectures of the published eight."""

    format = NatsSizeFormat()
    key = "channels"
    additive = _count.COUNTED

    def __init__(self, task: Task, *, channels: list[PositiveInt], search: Form, final: Form) -> None:
        check_images(self.format.family, task)
        super().__init__(channels, [f"place{i}" for i in range(PLACES)])
        self.task, self.forms = task, {"search": search, "final": final}
        self.chain = cache(self._chain)

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype["channels"], self.task, resize(self.forms[form], size), shared=False)

    def supernet(self, **size: int) -> NatsSizeSupernet:
        return NatsSizeSupernet(self.options, self.task, resize(self.forms["search"], size))

    def count(self, network: nn.Module) -> Mapping[str, int]:
        cost = _count.part(network, self.task.input_shape)
        return cost | {"macs": cost["macs"] + self.task.num_outputs}  # the benchmark counts the classifier's bias

    def cost(self, genotype: Genotype, name: str) -> float:
        first, *_, last = channels = genotype["channels"]
        links = sum(self._link(name, i, a, b) for i, (a, b) in enumerate(pairwise(channels)))
        return self._first(name, first) + links + self._last(name, last)

    def _chain(self, name: str) -> _chain.Tables:
        """Return what neighbouring places cost together; see `nasctl.core.Chain`."""
        return _chain.tables(
            self.options,
            PLACES,
            lambda a: self._first(name, a),
            lambda i, a, b: self._link(name, i, a, b),
            lambda b: self._last(name, b),
        )

    def _first(self, name: str, a: int) -> int:
        """Return the cost of stem and first cell."""
        stem = self._convolution(name, 3, self.task.input_shape[0], a, 0)
        return stem + self._norms(name, a) + self._cell(name, a, a, 0)

    def _link(self, name: str, i: int, a: int, b: int) -> int:
        """Return the cost of the residual block (``i`` even) or cell between places i and i + 1."""
        if i % 2:
            return self._cell(name, a, b, (i + 1) // 2)
        stage = i // 2 + 1
        sizes = ((3, a), (3, b), (1, a))
        return sum(self._convolution(name, k, c, b, stage) for k, c in sizes) + self._norms(name, 2 * b)

    def _cell(self, name: str, a: int, b: int, stage: int) -> int:
        convolutions = [(3, a if source == 0 else b) for source, _ in CONVOLUTIONS] + ([(1, a)] if a != b else [])
        norms = self._norms(name, len(convolutions) * b) if self.forms["final"].affine else 0
        return sum(self._convolution(name, k, c, b, stage) for k, c in convolutions) + norms

    def _last(self, name: str, b: int) -> int:
        """Return the cost of the last norm and of the classifier, its bias counted as the benchmark does."""
        return self._norms(name, b) + (b + 1) * self.task.num_outputs

    def _convolution(self, name: str, kernel: int, c_in: int, c_out: int, stage: int) -> int:
        _, height, width = self.task.input_shape
        pixels = (height >> stage) * (width >> stage)
        return kernel**2 * c_in * c_out * (pixels if name == "macs" else 1)

    @staticmethod
    def _norms(name: str, channels: int) -> int:
        return 2 * channels if name == "params" else 0
