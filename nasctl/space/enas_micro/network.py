"""The network of a micro genotype: stem, stacked cells, classifier, in the two forms of the released code.

Pham et al. 2018, https://arxiv.org/abs/1802.03268, section 2.4. While searching, the loose ends of a cell are
*projected* by a 1x1 convolution of each and added, so a cell's output does not depend on their number, and a
reduction cell reads the halved output of the cell before and nothing else. The network that is retrained
*concatenates* them, its operations halve the map, and the later input takes one more 1x1 convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import ConfigDict, Field, PositiveInt
from torch import Tensor, nn

from nasctl.core import Genotype, Task
from nasctl.genotype_format.enas_micro import KINDS, PICKS, Picks, loose_ends
from nasctl.layers.blocks import ConvBN, DropPath, FactorizedReduce, HalveBN, ReLUConvBN
from nasctl.layers.norm import Norm
from nasctl.layers.pointwise import Pointwise
from nasctl.space._cell.auxiliary import auxiliary_head, wants_head
from nasctl.space._cell.operations import OPERATIONS
from nasctl.space._cell.slots import Slot, slots

HEAD = 8  # side of the smallest map that the auxiliary head can read
Options = Sequence[Picks]
"""For each pick of a cell the (operation, state) pairs that it may be."""


@dataclass(frozen=True)
class Form:
    """Size and shape.

    ``layers`` counts all cells, the two reductions among them; ``combine``: what becomes of the loose ends;
    ``auxiliary``: a second classifier after the cell that follows the second reduction, ``auto`` where the map there
    is large enough.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    channels: PositiveInt
    layers: Annotated[int, Field(ge=3)]
    combine: Literal["project", "concatenate"]
    auxiliary: bool | Literal["auto"]


def reductions(layers: int) -> tuple[int, int]:
    """Return the positions of the reduction cells: of the normal ones a third comes first and a third between them."""
    third = (layers - 2) // 3
    return third, 2 * third + 1


def operation(name: str, channels: int, stride: int) -> nn.Module:
    """Return an operation ``(n, c, h, w) -> (n, c, h / stride, w / stride)``; unlike DARTS' a skip has no ReLU."""
    if name == "skip_connect" and stride == 2:
        return HalveBN(channels, channels)
    return OPERATIONS[name](channels, stride, True, False)


def fitted(c_in: int, channels: int, larger: bool) -> nn.Module:
    """Return what brings a cell's input to its channels, and to its map where it is twice as large."""
    if larger:
        return FactorizedReduce(c_in, channels, affine=True)
    return nn.Identity() if c_in == channels else ReLUConvBN(c_in, channels, 1, 1, affine=True)


class Cell(nn.Module):
    """The nodes of a cell, of which each sums two operations; ``edges`` holds each pick's options."""

    def __init__(self, options: Options, slot: Slot, stride: int, drop_path: DropPath, depth: float) -> None:
        super().__init__()
        self.edges = nn.ModuleDict()
        for k, pairs in enumerate(options):
            for name, source in pairs:
                edge = _edge(k, source)
                if edge not in self.edges:
                    self.edges[edge] = nn.ModuleDict()
                operations: Any = self.edges[edge]
                operations[name] = operation(name, slot.channels, stride if source < 2 else 1)
        self.drop_path, self.depth = drop_path, depth

    def nodes(self, states: list[Tensor], picks: Picks) -> list[Tensor]:
        """Return the two inputs and all nodes, each ``(n, c, h, w)``."""
        for k in range(0, len(picks), PICKS):
            states.append(self._term(k, states, picks) + self._term(k + 1, states, picks))
        return states

    def _term(self, k: int, states: Sequence[Tensor], picks: Picks) -> Tensor:
        name, source = picks[k]
        operations: Any = self.edges[_edge(k, source)]
        y = operations[name](states[source])
        outputs: Tensor = y if name == "skip_connect" else self.drop_path(y, self.depth)
        return outputs


def _edge(pick: int, source: int) -> str:
    return f"{pick}-{source}"


class Projecting(Cell):
    """The cell of the search; ``(before, last)`` to the same of the next cell, the output of node channels."""

    def __init__(self, options: Options, slot: Slot, ends: Sequence[int], drop_path: DropPath, depth: float) -> None:
        super().__init__(options, slot, 1, drop_path, depth)
        c = slot.channels
        self.halve = HalveBN(slot.c_in, c) if slot.reduction else None
        self.before = fitted(slot.c_in if slot.reduction else slot.c_before, c, slot.reduction)
        self.last = nn.Identity() if slot.reduction else fitted(slot.c_in, c, False)
        self.projections = nn.ModuleDict({str(i): Pointwise(c, c) for i in ends})
        self.norm = Norm(c)

    def forward(self, before: Tensor, last: Tensor, picks: Picks) -> tuple[Tensor, Tensor]:
        if self.halve is not None:
            before, last = last, self.halve(last)
        states = self.nodes([self.before(before), self.last(last)], picks)
        ends = [self.projections[str(i)](states[i].relu()) for i in loose_ends(picks)]
        return last, self.norm(sum(ends[1:], ends[0]))


class Concatenating(Cell):
    """The cell of the final network; ``(before, last)`` to the same of the next cell."""

    def __init__(self, options: Options, slot: Slot, ends: Sequence[int], drop_path: DropPath, depth: float) -> None:
        super().__init__(options, slot, 2 if slot.reduction else 1, drop_path, depth)
        c = slot.channels
        self.before = fitted(slot.c_before, c, slot.after_reduction)
        self.last = nn.Sequential(fitted(slot.c_in, c, False), ReLUConvBN(c, c, 1, 1, affine=True))
        halved = [i for i in ends if i < 2 and slot.reduction]  # inputs that leave the cell as they came
        self.halves = nn.ModuleDict({str(i): HalveBN(c, c) for i in halved})

    def forward(self, before: Tensor, last: Tensor, picks: Picks) -> tuple[Tensor, Tensor]:
        states = self.nodes([self.before(before), self.last(last)], picks)
        ends = [(i, states[i]) for i in loose_ends(picks)]
        return last, torch.cat([self.halves[str(i)](y) if str(i) in self.halves else y for i, y in ends], dim=1)


CELLS: dict[str, type[Projecting] | type[Concatenating]] = {"project": Projecting, "concatenate": Concatenating}


def placed(form: Form, width: Callable[[str], int]) -> Iterator[Slot]:
    """Yield the slot of each cell; ``width(kind)`` is the number of states that a cell concatenates."""
    if form.combine == "project":
        return _projecting(form)
    return slots(form.layers, reductions(form.layers), form.channels, 3 * form.channels, width)


def _projecting(form: Form) -> Iterator[Slot]:
    """Yield the slots of cells whose output has the channels of a node, and whose inputs are never twice as large."""
    channels = form.channels
    c_before = c_in = 3 * channels
    for layer in range(form.layers):
        reduction = layer in reductions(form.layers)
        channels *= 2 if reduction else 1
        yield Slot(c_before, c_in, channels, reduction, after_reduction=False)
        c_before, c_in = channels if reduction else c_in, channels


class Skeleton(nn.Module):
    """Stem, cells that hold some options for each pick, classifier; ``ends`` are each cell's possible loose ends."""

    def __init__(
        self, options: Mapping[str, Options], ends: Mapping[str, Sequence[int]], task: Task, form: Form
    ) -> None:
        super().__init__()
        self.drop_path, self.dropout = DropPath(), nn.Dropout(0.0)
        c_stem = 3 * form.channels
        self.stem = ConvBN(task.input_shape[0], c_stem, 3)
        cells = list(placed(form, lambda kind: len(ends[kind])))
        self.cells = nn.ModuleList(
            CELLS[form.combine](options[slot.kind], slot, ends[slot.kind], self.drop_path, (i + 1) / form.layers)
            for i, slot in enumerate(cells)
        )
        self.kinds = [slot.kind for slot in cells]
        widths = [slot.channels * (1 if form.combine == "project" else len(ends[slot.kind])) for slot in cells]
        self.classifier = nn.Linear(widths[-1], task.num_outputs, bias=False)
        self.auxiliary_after = reductions(form.layers)[1] + 1
        self.auxiliary: nn.Module | None = None
        if wants_auxiliary(task, form):
            self.auxiliary = auxiliary_head(widths[self.auxiliary_after], task.num_outputs, "cifar")

    def run(self, x: Tensor, genotype: Genotype) -> Tensor | tuple[Tensor, Tensor]:
        """Map images ``(n, c, h, w)`` to logits ``(n, outputs)``; in training with a second head to those of both."""
        before = last = self.stem(x)
        auxiliary = None
        for i, (cell, kind) in enumerate(zip(self.cells, self.kinds, strict=True)):
            before, last = cell(before, last, genotype[kind])
            if self.auxiliary is not None and self.training and i == self.auxiliary_after:
                auxiliary = self.auxiliary(last)
        logits = self.classifier(self.dropout(last.relu().mean((2, 3))))
        return logits if auxiliary is None else (logits, auxiliary)


class Network(Skeleton):
    """The stand-alone network of a genotype."""

    def __init__(self, genotype: Genotype, task: Task, form: Form) -> None:
        options = {kind: [[pick] for pick in genotype[kind]] for kind in KINDS}
        super().__init__(options, {kind: loose_ends(genotype[kind]) for kind in KINDS}, task, form)
        self.genotype = genotype

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        return self.run(x, self.genotype)


def wants_auxiliary(task: Task, form: Form) -> bool:
    """Return whether there is an auxiliary head, or raise `RequestError` if it is asked for in vain."""
    return wants_head(form.auxiliary, min(task.input_shape[1:]) // 4, HEAD)
