"""The language model of a recurrent cell genotype.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 3.2 and appendix A.3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import ConfigDict, PositiveFloat, PositiveInt
from torch import Tensor, nn

from nasctl.acceleration.compiled import Compilation
from nasctl.core import Genotype, Task
from nasctl.layers.language import Dropouts, Language, Share
from nasctl.space.rnn_darts.wiring import WHOLE, Masks, Wiring, norm, plain


@dataclass(frozen=True)
class CellDropouts(Dropouts):
    """The language model's dropouts, and those inside the cell."""

    cell_input: Share  # units of the input of the first product
    state: Share  # units of whatever state a product reads


@dataclass(frozen=True)
class Form:
    """Size and shape of the language model; ``norm`` puts a batch norm without scale and shift after every state."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    units: PositiveInt
    norm: bool
    decoder_bias: bool
    init_range: PositiveFloat
    dropouts: CellDropouts


class Layer(nn.Module):
    """What cells share: the product of input and last output, masks, and the norm after a state."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.units, self.dropouts, self.init_range = form.units, form.dropouts, form.init_range
        self.normed: Callable[[Tensor], Tensor] = norm if form.norm else plain
        self.first = self._uniform(2 * form.units, 2 * form.units)

    def _uniform(self, *shape: int) -> nn.Parameter:
        return nn.Parameter(torch.empty(*shape).uniform_(-self.init_range, self.init_range))

    def init_hidden(self, batch: int) -> Tensor:
        """Return zeros ``(batch, units)``."""
        return self.first.new_zeros(batch, self.units)

    def masks(self, x: Tensor, h: Tensor) -> Masks:
        """Return new masks while training."""
        return Masks.sampled(x, h, self.dropouts.cell_input, self.dropouts.state) if self.training else WHOLE

    def macs_of(self, nodes: int) -> int:
        """Return the multiply-accumulates of one token in a cell of so many nodes."""
        return self.first.numel() + nodes * 2 * self.units**2


class Cell(Layer):
    """The cell of a genotype: ``(x (T, B, H), h (B, H)) -> (outputs (T, B, H), the last of them)``."""

    def __init__(self, genotype: Genotype, form: Form) -> None:
        super().__init__(form)
        self.wiring = Wiring.of(genotype)
        self.weights = nn.ParameterList(self._uniform(form.units, 2 * form.units) for _ in self.wiring.nodes)
        self.macs = self.macs_of(len(self.weights))
        self.compiled: Compilation | None = None

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        masks, weights = self.masks(x, h), list(self.weights)
        return self.wiring.run(x, h, self.first, weights, masks, self.normed, self.compiled)


class Network(Language):
    """The stand-alone language model of a genotype."""

    def __init__(self, genotype: Genotype, task: Task, form: Form) -> None:
        cell = Cell(genotype, form)
        super().__init__([cell], task, form.units, form.dropouts, form.init_range, form.decoder_bias)

    def compile_step(self, setting: str) -> None:
        """Compile a time step; ``setting`` is what asked for it."""
        cell = self._layers[0]
        cell.compiled = Compilation(cell.wiring.step, setting, dynamic=False)
