"""The stand-alone network of a cell genotype: stem, stacked cells, classifier.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 3.1 and appendix A.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar, Literal

import torch
from pydantic import ConfigDict, PositiveInt
from torch import Tensor, nn

from nasctl.core import Genotype, Task
from nasctl.errors import RequestError
from nasctl.layers.blocks import DropPath, FactorizedReduce, ReLUConvBN
from nasctl.layers.norm import Norm
from nasctl.space._cell.auxiliary import auxiliary_head, wants_head
from nasctl.space._cell.operations import BUILDABLE
from nasctl.space._cell.slots import Slot, slots


@dataclass(frozen=True)
class Form:
    """Size and shape of a stacked-cell network.

    ``affine``: norms have scale and shift; ``pool_norm``: a norm follows each pooling; ``auxiliary``: a
    second classifier after the second reduction, ``auto`` where the map there is large enough.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    channels: PositiveInt
    layers: PositiveInt
    stem: Literal["cifar", "imagenet"]
    affine: bool
    pool_norm: bool
    auxiliary: bool | Literal["auto"]


def placed(form: Form, width: Callable[[str], int]) -> Iterator[Slot]:
    """Yield the slot of each cell; ``width(kind)`` is the number of states that a cell concatenates."""
    imagenet = form.stem == "imagenet"
    c_stem = form.channels if imagenet else 3 * form.channels
    return slots(form.layers, reductions(form.layers), form.channels, c_stem, width, after_reduction=imagenet)


def reductions(layers: int) -> tuple[int, int]:
    """Return the positions of the two reduction cells, at a third and two thirds of the depth."""
    return layers // 3, 2 * layers // 3


def preprocess(slot: Slot, affine: bool) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the layers that bring a cell's two inputs to its channels and map size, a ReLU first."""
    before: nn.Sequential
    if slot.after_reduction:
        before = FactorizedReduce(slot.c_before, slot.channels, affine)
    else:
        before = ReLUConvBN(slot.c_before, slot.channels, 1, 1, affine)
    return before, ReLUConvBN(slot.c_in, slot.channels, 1, 1, affine)


class Stem(nn.Module):
    """From image to the two maps that the first cell reads; ``imagenet`` shrinks them by 4 and 8."""

    def __init__(self, c_in: int, form: Form) -> None:
        super().__init__()
        channels = form.channels
        if form.stem == "cifar":
            self.first: nn.Module = nn.Sequential(_conv3(c_in, 3 * channels, 1), Norm(3 * channels))
            self.second: nn.Module = nn.Identity()
            return
        half = channels // 2
        self.first = nn.Sequential(
            _conv3(c_in, half, 2),
            Norm(half),
            nn.ReLU(),
            _conv3(half, channels, 2),
            Norm(channels),
        )
        self.second = nn.Sequential(nn.ReLU(), _conv3(channels, channels, 2), Norm(channels))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first = self.first(x)
        return first, self.second(first)


def _conv3(c_in: int, c_out: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)


class Cell(nn.Module):
    """One cell of a genotype. Each node sums its operations; the concat list names the states that leave."""

    def __init__(self, genotype: Genotype, slot: Slot, form: Form, drop_path: DropPath, depth: float) -> None:
        super().__init__()
        self.before, self.last = preprocess(slot, form.affine)
        self.inputs = [source for _, source in genotype[slot.kind]]
        self.concat = list(genotype[f"{slot.kind}_concat"])
        self.operations = nn.ModuleList(
            BUILDABLE[name](slot.channels, 2 if slot.reduction and source < 2 else 1, form.affine, form.pool_norm)
            for name, source in genotype[slot.kind]
        )
        self.drop_path, self.depth = drop_path, depth

    def forward(self, before: Tensor, last: Tensor) -> Tensor:
        """Map the outputs of the last two cells, after the ReLU, to ``(n, width * channels, h, w)``."""
        states = [_rectified(self.before, before), _rectified(self.last, last)]
        for k in range(0, len(self.inputs), 2):
            states.append(self._term(k, states) + self._term(k + 1, states))
        return torch.cat([states[i] for i in self.concat], dim=1)

    def _term(self, k: int, states: list[Tensor]) -> Tensor:
        operation = self.operations[k]
        y = operation(states[self.inputs[k]])
        outputs: Tensor = y if isinstance(operation, nn.Identity) else self.drop_path(y, self.depth)
        return outputs


def _rectified(layers: nn.Sequential, x: Tensor) -> Tensor:
    """Return what ``layers`` make of ``x``, which their first one, a ReLU, would not change."""
    for layer in islice(layers, 1, None):
        x = layer(x)
    return x


class Network(nn.Module):
    """The stand-alone network: images ``(n, c, h, w)`` to logits ``(n, outputs)``.

    While training with an auxiliary head it returns (logits, auxiliary logits).
    """

    def __init__(self, genotype: Genotype, task: Task, form: Form) -> None:
        super().__init__()
        self.drop_path = DropPath()
        self.stem, self.relu = Stem(task.input_shape[0], form), nn.ReLU()
        widths = {kind: len(genotype[f"{kind}_concat"]) for kind in ("normal", "reduce")}
        cells = list(placed(form, widths.__getitem__))
        self.cells = nn.ModuleList(
            Cell(genotype, slot, form, self.drop_path, depth=(i + 1) / form.layers) for i, slot in enumerate(cells)
        )
        outputs = [slot.channels * widths[slot.kind] for slot in cells]
        self.classifier = nn.Linear(outputs[-1], task.num_outputs)
        self.auxiliary_after = reductions(form.layers)[1]
        self.auxiliary: nn.Module | None = None
        if wants_auxiliary(task, form):
            self.auxiliary = auxiliary_head(outputs[self.auxiliary_after], task.num_outputs, form.stem)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        before, last = map(self.relu, self.stem(x))
        auxiliary = None
        for i, cell in enumerate(self.cells):
            y = cell(before, last)
            before, last = last, self.relu(y)  # once for the two cells that read it
            if self.auxiliary is not None and self.training and i == self.auxiliary_after:
                auxiliary = self.auxiliary(y)
        logits = self.classifier(y.mean((2, 3)))
        return logits if auxiliary is None else (logits, auxiliary)


def _shrink(form: Form) -> int:
    return 32 if form.stem == "imagenet" else 4  # image side to side of the last map


def check_map(task: Task, form: Form) -> None:
    """Raise `RequestError` if the images of ``task`` cannot be halved as often as ``form`` does."""
    _, height, width = task.input_shape
    if height % _shrink(form) or width % _shrink(form):
        raise RequestError(
            f"space: a network with stem={form.stem} shrinks the map {_shrink(form)} times, which images of "
            f"{height}x{width} pixels do not allow; set dataset.image_size to a multiple of "
            f"{_shrink(form)} or choose another stem"
        )


def wants_auxiliary(task: Task, form: Form) -> bool:
    """Return whether there is an auxiliary head, or raise `RequestError` if it is asked for in vain."""
    imagenet = form.stem == "imagenet"
    return wants_head(form.auxiliary, min(task.input_shape[1:]) // _shrink(form), 7 if imagenet else 8)
