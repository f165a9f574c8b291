"""The NAS-Bench-201 space (NATS-Bench topology space): a cell of four nodes, one of five operations an edge.

Dong and Yang 2020, https://arxiv.org/abs/2001.00326, section 2.1; the skeleton is that of figure 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import ConfigDict, PositiveInt, StrictStr, TypeAdapter, ValidationError
from torch import Tensor, nn

from nasctl.core import Architecture, Candidate, Decision, Genotype, Remark, State, Task, ignore
from nasctl.errors import RequestError, unknown
from nasctl.space import _chain, _count, _literal, _numbers
from nasctl.space._blocks import DropPath, ReLUConvBN
from nasctl.space._fan_out import fan_out
from nasctl.space._forms import resize
from nasctl.space._mixture import Terms, terms
from nasctl.space._norm import Norm
from nasctl.space._shared import OneText, RelaxedDecisions
from nasctl.space._task import check_images

OPERATIONS: dict[str, Callable[[int, bool], nn.Module]] = {
    "skip_connect": lambda c, affine: nn.Identity(),
    "nor_conv_1x1": lambda c, affine: ReLUConvBN(c, c, 1, 1, affine),
    "nor_conv_3x3": lambda c, affine: ReLUConvBN(c, c, 3, 1, affine),
    "avg_pool_3x3": lambda c, affine: nn.AvgPool2d(3, 1, padding=1, count_include_pad=False),
}
OPTIONS = ("none", *OPERATIONS)
EDGES = tuple((source, node) for node in range(1, 4) for source in range(node))  # 01, 02, 12, 03, 13, 23
STAGES = 3  # the map halves and the channels double between stages
_STRUCTURE = "Structure(4 nodes with "  # as its code prints a cell
_NAMES = TypeAdapter(list[StrictStr])


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


class Supernet(Skeleton):
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


def _cell_text(text: str) -> str:
    """Return the text of a cell without the call, the list or the quotes around it."""
    inner = text.strip()
    if inner.startswith(_STRUCTURE) and inner.endswith(")"):
        inner = inner.removeprefix(_STRUCTURE).removesuffix(")").strip()
    return _numbers.unquoted(inner)


class NasBench201(RelaxedDecisions, OneText):
    """15,625 cells: one of five operations on each of six edges. Decisions and relaxed choices are the edges."""

    family = "nasbench201"
    marks = ("Structure", "|")
    additive = _count.COUNTED

    def __init__(self, task: Task, *, search: Form, final: Form) -> None:
        check_images(self.family, task)
        self.task = task
        self.forms = {"search": search, "final": final}
        self.decisions = tuple(Decision(f"{source}-{node}", "operation", OPTIONS) for source, node in EDGES)
        self.num_operations = len(OPTIONS)

    def genotype(self, arch: Architecture) -> Genotype:
        return {"edges": [OPTIONS[option] for option in arch]}

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        """Read ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``, in quotes, in a list or in ``Structure(4 nodes with ...)``.

        Six numbers are read as options in the order of the decisions, with a remark, since others order them otherwise.
        """
        plain = _cell_text(text)
        if _numbers.is_row(plain) and len(numbers := _numbers.read(plain)) == len(EDGES):
            edges = [_numbers.name(f"edge {s}-{n}", i, OPTIONS) for (s, n), i in zip(EDGES, numbers, strict=True)]
            remark(f"six numbers were read as {', '.join(OPTIONS)} (0 to 4) on edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3")
            return self.check({"edges": edges})
        genotype = {"edges": [word.partition("~")[0] for word in plain.split("|") if "~" in word]}
        if len(genotype["edges"]) != len(EDGES) or self.notation(genotype) != plain:
            raise RequestError(
                f"genotype text: {_literal.shown(text, _literal.WHOLE)} is not of the form "
                "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|; correct it"
            )
        return self.check(genotype)

    def notation(self, genotype: Genotype) -> str:
        names = iter(genotype["edges"])
        return "+".join("|" + "".join(f"{next(names)}~{s}|" for s in range(node)) for node in range(1, 4))

    def check(self, genotype: Genotype) -> Genotype:
        try:
            names = _NAMES.validate_python(genotype["edges"])
        except (KeyError, TypeError, ValidationError) as error:
            raise RequestError(
                f"genotype: edges must list {len(EDGES)} operations, which {_literal.shown(genotype)} does not; "
                "correct it"
            ) from error
        if len(names) != len(EDGES):
            raise RequestError(
                f"genotype: {len(names)} edges, a cell of nasbench201 has {len(EDGES)}; add or remove some"
            )
        for name, (source, node) in zip(names, EDGES, strict=True):
            if name not in OPTIONS:
                raise unknown(f"genotype: edge {source}-{node}", name, OPTIONS)
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {"skip_connections": sum(name == "skip_connect" for name in genotype["edges"])}

    def graph(self, genotype: Genotype) -> Mapping[str, Sequence[tuple[str, str, str]]]:
        edges = zip(EDGES, genotype["edges"], strict=True)
        return {"cell": [(str(source), str(node), name) for (source, node), name in edges]}

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype, self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> Supernet:
        return Supernet(self.task, resize(self.forms["search"], size))

    def cost(self, genotype: Genotype, name: str) -> float:
        return self._prices["network"][name] + sum(self._prices[edge][name] for edge in genotype["edges"])

    def count(self, network: nn.Module) -> Mapping[str, int]:
        cost = _count.cost(network, self.task.input_shape)
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
        costs = [_count.cost(cell, shape) for cell, shape in zip(cells, shapes, strict=True)]
        return {key: form.cells * sum(cost[key] for cost in costs) for key in ("params", "macs")}
