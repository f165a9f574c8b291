"""The network of the size space, alone and as a supernet.

The supernet holds the widest weights; an architecture computes with the first channels of each, and with nothing
else (Yu and Huang 2019, https://arxiv.org/abs/1903.05134, section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import ConfigDict
from torch import Tensor, nn

from nasctl.core import Candidate, Genotype, State, Task
from nasctl.genotype_format.nats_size import PLACES
from nasctl.layers.blocks import DropPath
from nasctl.layers.sliced import Classifier, Conv, Norm, ReLUConvNorm

CONVOLUTIONS = ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))  # 3x3, between a cell's nodes; from 0 to 3 goes a skip


@dataclass(frozen=True)
class Form:
    """Whether the norms of cells have scale and shift."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    affine: bool


class Cell(nn.Module):
    """The fixed cell, ``(n, c_in, h, w) -> (n, width, h, w)``; ``skip`` is there if channels may change."""

    def __init__(self, c_in: int, c_out: int, affine: bool, skip: bool, drop_path: DropPath) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            ReLUConvNorm(c_in if source == 0 else c_out, c_out, 3, 1, affine) for source, _ in CONVOLUTIONS
        )
        self.skip = ReLUConvNorm(c_in, c_out, 1, 1, affine) if skip else None
        self.drop_path = drop_path

    def forward(self, x: Tensor, width: int) -> Tensor:
        skip = x if self.skip is None or x.shape[1] == width else self.skip(x, width)
        nodes: list[Tensor] = [x]
        for node in range(1, 4):
            parts = [
                self.drop_path(convolution(nodes[source], width))
                for convolution, (source, end) in zip(self.convolutions, CONVOLUTIONS, strict=True)
                if end == node
            ]
            nodes.append(sum(parts[1:], parts[0]))
        return nodes[-1] + skip


class Residual(nn.Module):
    """The block that halves the map: ``(n, c_in, h, w) -> (n, width, h / 2, w / 2)``."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.first = ReLUConvNorm(c_in, c_out, 3, 2, affine=True)
        self.second = ReLUConvNorm(c_out, c_out, 3, 1, affine=True)
        self.pool, self.shortcut = nn.AvgPool2d(2), Conv(c_in, c_out, 1, 1)

    def forward(self, x: Tensor, width: int) -> Tensor:
        outputs: Tensor = self.second(self.first(x, width), width) + self.shortcut(self.pool(x), width)
        return outputs


class Network(nn.Module):
    """Stem, cell, residual block, cell, residual block, cell, classifier: images to logits.

    ``channels`` are those of the five places. ``shared``: other architectures, no wider, run in it too.
    """

    def __init__(self, channels: Sequence[int], task: Task, form: Form, *, shared: bool) -> None:
        super().__init__()
        self.channels, self.drop_path = list(channels), DropPath()
        self.stem, self.stem_norm = Conv(task.input_shape[0], channels[0], 3, 1), Norm(channels[0])
        inner = [channels[0], *channels]
        self.cells = nn.ModuleList(
            Cell(a, b, form.affine, shared or a != b, self.drop_path)
            for a, b in zip(inner[::2], inner[1::2], strict=True)
        )
        self.residuals = nn.ModuleList(Residual(a, b) for a, b in zip(inner[1:-1:2], inner[2::2], strict=True))
        self.head, self.classifier = Norm(channels[-1]), Classifier(channels[-1], task.num_outputs)

    def forward(self, x: Tensor, channels: Sequence[int] | None = None) -> Tensor:
        """Map ``(n, c, h, w)`` to ``(n, outputs)`` with the first ``channels`` of each place; None: with all."""
        first, *places = channels or self.channels
        x = self.cells[0](self.stem_norm(self.stem(x, first)), first)
        for residual, cell, halved, width in zip(
            self.residuals, list(self.cells)[1:], places[::2], places[1::2], strict=True
        ):
            x = cell(residual(x, halved), width)
        outputs: Tensor = self.classifier(self.head(x).relu().mean((2, 3)))
        return outputs


class NatsSizeSupernet(nn.Module):
    """The network of the widest architecture, run at a candidate's channels: ``forward(x, candidate) -> logits``."""

    def __init__(self, options: Sequence[int], task: Task, form: Form) -> None:
        super().__init__()
        self.options, self.task, self.form = list(options), task, form
        self.network = Network([max(options)] * PLACES, task, form, shared=True)

    def forward(self, x: Tensor, candidate: Candidate) -> Tensor:
        outputs: Tensor = self.network(x, [self.options[option] for option in candidate.arch])
        return outputs

    def subnet_state(self, genotype: Genotype) -> State:
        """Return the shared weights of ``genotype`` under the names of its network of the form ``search``."""
        with torch.device("meta"):
            alone = Network(genotype["channels"], self.task, self.form, shared=False).state_dict()
        shared = self.network.state_dict()
        return {name: shared[name][tuple(map(slice, weight.shape))] for name, weight in alone.items()}
