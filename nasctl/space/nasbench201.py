"""The NAS-Bench-201 space (NATS-Bench topology space): a cell of four nodes, one of five operations an edge.

Dong and Yang 2020, https://arxiv.org/abs/2001.00326, section 2.1; the skeleton is that of figure 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import ConfigDict, PositiveInt
from torch import Tensor, nn

from nasctl.core import Architecture, Candidate, Decision, Genotype, State, Task
from nasctl.genotype_format.nasbench201 import EDGES, OPTIONS, NasBench201Format
from nasctl.layers.blocks import DropPath, ReLUConvBN
from nasctl.layers.fan_out import fan_out
from nasctl.layers.mixture import Terms, terms
from nasctl.layers.norm import Norm
from nasctl.space import _chain, _count
from nasctl.space._forms import resize
from nasctl.space._shared import RelaxedDecisions
from nasctl.space._task import check_images

OPERATIONS: dict[str, Callable[[int, bool], nn.Module]] = {
    "skip_connect": lambda c, affine: nn.Identity(),
    "nor_conv_1x1": lambda c, affine: ReLUConvBN(c, c, 1, 1, affine),
    "nor_conv_3x3": lambda c, affine: ReLUConvBN(c, c, 3, 1, affine),
    "avg_pool_3x3": lambda c, affine: nn.AvgPool2d(3, 1, padding=1, count_include_pad=False),
}
STAGES = 3  # the map halves and the channels double between stages


@dataclass(frozen=True)
class Form:
    """Size: channels of the first stage, cells a stage, scale and shift in the cells' norms."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    channels: PositiveInt
    cells: PositiveInt
    affine: bool


class Cell(nn.Module):
    """The cell; each edge holds some of the operations, and a mixture says which of them run."""

    def __init__(
        self, options: Sequence[Sequence[str]], channels: int, affine: bool, drop_path: DropPath, depth: float
    ) -> None:
        super().__init__()
        self.edges = nn.ModuleDict(
            {
                f"{source}-{node}": nn.ModuleDict({n: OPERATIONS[n](channels, affine) for n in names if n != "none"})
                for (source, node), names in zip(EDGES, options, strict=True)
            }
        )
        self.drop_path, self.depth = drop_path, depth

    def forward(self, x: Tensor, mixtures: Sequence[Terms]) -> Tensor:
        """Map ``(n, c, h, w)`` to the last node, of the same shape."""
        states: list[Tensor] = []
        parts: list[list[Tensor]] = [[x], [], [], []]
        for source in range(4):
            states.append(sum(parts[source][1:], parts[source][0]) if parts[source] else x * 0)
            leaving = {i: node for i, (start, node) in enumerate(EDGES) if start == source}
            outputs = self._outputs(states[source], list(leaving), mixtures)
            for node, weighted in zip(leaving.values(), outputs, strict=True):
                parts[node] += weighted
        return states[-1]

    def _outputs(self, x: Tensor, edges: Sequence[int], mixtures: Sequence[Terms]) -> list[list[Tensor]]:
        """Return the weighted outputs of each of the edges that leave ``x``."""
        modules: Any = list(self.edges.values())
        drop = partial(self.drop_path, depth=self.depth) if self.drop_path.dropping else None
        return fan_out(x, OPTIONS, [modules[i] for i in edges], [mixtures[i] for i in edges], drop)


class Residual(nn.Module):
    """The fixed block between stages: ``(n, c, h, w) -> (n, 2c, h/2, w/2)``."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.first = ReLUConvBN(c_in, c_out, 3, 2, affine=True)
        self.second = ReLUConvBN(c_out, c_out, 3, 1, affine=True)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(c_in, c_out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.second(self.first(x)) + self.shortcut(x)
        return outputs


class Skeleton(nn.Module):
    """Stem, three stages of cells with residual blocks between, classifier; each edge holds ``options``."""

    def __init__(self, options: Sequence[Sequence[str]], task: Task, form: Form) -> None:
        super().__init__()
        self.drop_path = DropPath()
        widths = [form.channels * 2**stage for stage in range(STAGES)]
        self.stem = nn.Sequential(nn.Conv2d(task.input_shape[0], widths[0], 3, padding=1, bias=False), Norm(widths[0]))
        self.cells = nn.ModuleList(
            Cell(options, widths[i // form.cells], form.affine, self.drop_path, depth=(i + 1) / (STAGES * form.cells))
            for i in range(STAGES * form.cells)
        )
        self.residuals = nn.ModuleList(Residual(a, b) for a, b in pairwise(widths))
        self.head = nn.Sequential(Norm(widths[-1]), nn.ReLU())
        self.classifier = nn.Linear(widths[-1], task.num_outputs)
        self.per_stage = form.cells

    def run(self, x: Tensor, mixtures: Sequence[Terms]) -> Tensor:
        """Map images ``(n, c, h, w)`` to logits ``(n, outputs)``; one mixture an edge."""
        x = self.stem(x)
        for i, cell in enumerate(self.cells):
            if i and i % self.per_stage == 0:
                x = self.residuals[i // self.per_stage - 1](x)
            x = cell(x, mixtures)
        outputs: Tensor = self.classifier(self.head(x).mean((2, 3)))
        return outputs


class Network(Skeleton):
    """The stand-alone network of a genotype."""

    def __init__(self, genotype: Genotype, task: Task, form: Form) -> None:
        super().__init__([[name] for name in genotype["edges"]], task, form)
        self.path: list[Terms] = [[(OPTIONS.index(name), None)] for name in genotype["edges"]]

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, self.path)


class NasBench201Supernet(Skeleton):
    """The network that holds all architectures: ``forward(x, candidate) -> logits``."""

    def __init__(self, task: Task, form: Form) -> None:
        super().__init__([OPTIONS] * len(EDGES), task, form)

    def forward(self, x: Tensor, candidate: Candidate) -> Tensor:
        return self.run(x, terms(candidate, list))

    def subnet_state(self, genotype: Genotype) -> State:
        """Return the shared weights of ``genotype`` under the names of its network of the form ``search``."""
        unused = {
            f".edges.{source}-{node}.{name}."
            for (source, node), kept in zip(EDGES, genotype["edges"], strict=True)
            for name in OPERATIONS
            if name != kept
        }
        return {k: v for k, v in self.state_dict().items() if not any(part in k for part in unused)}


class NasBench201(RelaxedDecisions):
    """15,625 cells: one of five operations on each of six edges. Decisions and relaxed choices are the edges."""

    format = NasBench201Format()
    additive = _count.COUNTED

    def __init__(self, task: Task, *, search: Form, final: Form) -> None:
        check_images(self.format.family, task)
        self.task = task
        self.forms = {"search": search, "final": final}
        self.decisions = tuple(Decision(f"{source}-{node}", "operation", OPTIONS) for source, node in EDGES)
        self.num_operations = len(OPTIONS)

    def genotype(self, arch: Architecture) -> Genotype:
        return {"edges": [OPTIONS[option] for option in arch]}

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype, self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> NasBench201Supernet:
        return NasBench201Supernet(self.task, resize(self.forms["search"], size))

    def cost(self, genotype: Genotype, name: str) -> float:
        return self._prices["network"][name] + sum(self._prices[edge][name] for edge in genotype["edges"])

    def count(self, network: nn.Module) -> Mapping[str, int]:
        cost = _count.part(network, self.task.input_shape)
        return cost | {"macs": cost["macs"] + self.task.num_outputs}  # the benchmark counts the classifier's bias

    def chain(self, name: str) -> _chain.Tables:
        """Return the costs of edges as sums over neighbouring decisions; see `nasctl.core.Chain`."""
        return _chain.tables(
            range(len(OPTIONS)),
            len(EDGES),
            lambda a: self._prices["network"][name] + self._prices[OPTIONS[a]][name],
            lambda i, a, b: self._prices[OPTIONS[b]][name],
            lambda b: 0,
        )

    def relaxed_chain(self, name: str) -> _chain.Tables:
        """Return the same: the relaxed choices are the decisions."""
        return self.chain(name)

    @cached_property
    def _prices(self) -> dict[str, Mapping[str, int]]:
        """What an edge of each operation costs in all cells, and what the network costs without them."""
        empty = {"edges": ["none"] * len(EDGES)}
        bare = self.count(_count.on_meta(lambda: self.build(empty, "final")))
        return {name: self._edge(name) for name in OPERATIONS} | {"none": dict.fromkeys(bare, 0), "network": bare}

    def _edge(self, name: str) -> Mapping[str, int]:
        form, (_, height, width) = self.forms["final"], self.task.input_shape
        shapes = [(form.channels * 2**i, height // 2**i, width // 2**i) for i in range(STAGES)]
        cells = [_count.on_meta(partial(OPERATIONS[name], shape[0], form.affine)) for shape in shapes]
        costs = [_count.part(cell, shape) for cell, shape in zip(cells, shapes, strict=True)]
        return {key: form.cells * sum(cost[key] for cost in costs) for key in ("params", "macs")}
