"""The language model of a tree-shaped recurrent cell, and the one that shares its weights among all cells.

Zoph and Le 2017, https://arxiv.org/abs/1611.01578, sections 3.4 and 4.2. Every leaf has a product of the input and
one of the last output; nodes above have no weights, so all cells of a space have the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import ConfigDict, PositiveFloat, PositiveInt
from torch import Tensor, nn

from nasctl.acceleration.compiled import Compilation
from nasctl.core import Architecture, Candidate, Genotype, State, Task, TextSegment
from nasctl.genotype_format.rnn_nas_rl import children
from nasctl.layers.language import Dropouts, Language
from nasctl.layers.projection import Projection
from nasctl.space.rnn_nas_rl.operations import ACTIVATIONS, COMBINATIONS

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Form:
    """Size of the language model; a word has as many units as a state."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    units: PositiveInt
    layers: PositiveInt
    decoder_bias: bool
    init_range: PositiveFloat
    dropouts: Dropouts


@dataclass(frozen=True)
class Tree:
    """One time step of a cell."""

    genotype: Genotype

    def __call__(self, inputs: Tensor, recurrent: Tensor, c: Tensor) -> Pair:
        """Map leaf products of the input and of the last output ``(B, leaves * H)`` and ``c`` ``(B, H)`` to (h, c)."""
        pairs, (new, merged) = self.genotype["nodes"], self.genotype["cell"]
        leaves = zip(inputs.chunk((len(pairs) + 1) // 2, 1), recurrent.chunk((len(pairs) + 1) // 2, 1), strict=True)
        before: list[Tensor] = []
        after: list[Tensor] = []
        for node, ((combination, activation), below) in enumerate(zip(pairs, children(len(pairs)), strict=True)):
            a, b = next(leaves) if below is None else (after[below[0]], after[below[1]])
            before.append(COMBINATIONS[combination](a, b))
            after.append(ACTIVATIONS[activation](before[node]))
            if node == merged:
                after[node] = self._merged(after[node], c)
        return after[-1], before[new]

    def _merged(self, output: Tensor, c: Tensor) -> Tensor:
        combination, activation = self.genotype["inject"]
        return ACTIVATIONS[activation](COMBINATIONS[combination](output, c))


class Layer(nn.Module):
    """A layer of cells: ``(x (T, B, H), (h, c), step) -> (outputs (T, B, H), the last (h, c))``; no biases."""

    def __init__(self, leaves: int, units: int, init_range: float) -> None:
        super().__init__()
        self.units = units
        shape = units, leaves * units
        self.input = nn.Parameter(torch.empty(*shape).uniform_(-init_range, init_range))
        self.recurrent = nn.Parameter(torch.empty(*shape).uniform_(-init_range, init_range))
        self.macs = 2 * self.input.numel()

    def init_hidden(self, batch: int) -> Pair:
        """Return zeros for output and cell state, ``(batch, units)`` each."""
        zeros = self.input.new_zeros(2, batch, self.units)
        return zeros[0], zeros[1]

    def forward(self, x: Tensor, state: Pair, step: Callable[..., Pair]) -> tuple[Tensor, Pair]:
        steps, batch, units = x.shape
        rows = (x.reshape(-1, units) @ self.input).view(steps, batch, -1).unbind()
        recurrent = Projection(self.recurrent, steps, batch)
        h, c = state
        outputs = []
        for row in rows:
            h, c = step(row, recurrent(h), c)
            outputs.append(h)
        return torch.stack(outputs), (h, c)


class _Model(Language):
    def __init__(self, leaves: int, task: Task, form: Form) -> None:
        layers = [Layer(leaves, form.units, form.init_range) for _ in range(form.layers)]
        super().__init__(layers, task, form.units, form.dropouts, form.init_range, form.decoder_bias)


class Network(_Model):
    """The stand-alone language model of a genotype: ``(tokens, hidden) -> LanguageModelOutput``."""

    def __init__(self, genotype: Genotype, task: Task, form: Form) -> None:
        super().__init__((len(genotype["nodes"]) + 1) // 2, task, form)
        self.step: Callable[..., Pair] = Tree(genotype)

    def compile_step(self, setting: str) -> None:
        """Compile what a time step computes besides products; ``setting`` is what asked for it."""
        self.step = Compilation(self.step, setting, dynamic=False)

    def forward(self, tokens: Tensor, hidden: Any, *choice: Any) -> Any:
        return super().forward(tokens, hidden, self.step)


class RnnNasRlSupernet(_Model):
    """The language model that holds all architectures: ``(segment, candidate) -> logits (T * B, V)`` of a path."""

    def __init__(self, leaves: int, task: Task, form: Form, genotype: Callable[[Architecture], Genotype]) -> None:
        super().__init__(leaves, task, form)
        self.genotype = genotype

    def forward(self, segment: TextSegment, candidate: Candidate) -> Tensor:  # type: ignore[override]
        return self.read(segment, Tree(self.genotype(candidate.arch)))

    def subnet_state(self, genotype: Genotype) -> State:
        """Return the shared weights of ``genotype``: all of them."""
        return self.state_dict()
