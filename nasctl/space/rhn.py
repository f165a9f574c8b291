"""Recurrent highway networks, made by hand: a recurrent step of many highway layers.

Zilly et al. 2017, https://arxiv.org/abs/1607.03474, section 4, with the carry gate tied to the transform gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import ConfigDict, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import linear

from nasctl.core import Task
from nasctl.genotype_format.rhn import FORMAT
from nasctl.layers.language import Dropouts, Language, Share, kept
from nasctl.space._hand_made.depth import DepthSpace


@dataclass(frozen=True)
class Form:
    """Size: units of a word, of the state and of the output; and what is dropped, ``state`` inside the step."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    units: PositiveInt
    init_range: PositiveFloat
    transform_bias: float
    state: Share
    dropouts: Dropouts


class Highway(nn.Module):
    """``s <- s + t * (h - s)`` for each of ``depth`` layers of a step, where tanh gives h and a sigmoid gives t.

    The first layer sees the input too (equations 6 to 9); all layers see the state through one mask for all steps
    of a call.
    """

    def __init__(self, depth: int, form: Form) -> None:
        super().__init__()
        units = form.units
        self.units, self.state = units, form.state
        self.input = nn.Parameter(torch.empty(2 * units, units).uniform_(-form.init_range, form.init_range))
        self.recurrent = nn.Parameter(torch.empty(depth, 2 * units, units).uniform_(-form.init_range, form.init_range))
        self.bias = nn.Parameter(torch.zeros(depth, 2 * units))
        with torch.no_grad():
            self.bias[:, units:] = form.transform_bias
        self.macs = 2 * units * units * (1 + depth)

    def init_hidden(self, batch: int) -> Tensor:
        """Return zeros ``(batch, units)``."""
        return self.input.new_zeros(batch, self.units)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map ``(T, B, units)`` and the state before it to ``(T, B, units)`` and the state after it."""
        mask = kept(state, self.state) if self.training and self.state else None
        outputs = []
        for seen in linear(x, self.input):  # of all steps at once
            state = self._step(seen, state, mask)
            outputs.append(state)
        return torch.stack(outputs), state

    def _step(self, seen: Tensor, state: Tensor, mask: Tensor | None) -> Tensor:
        for i, (weight, bias) in enumerate(zip(self.recurrent, self.bias, strict=True)):
            both = linear(state if mask is None else state * mask, weight, bias)
            h, t = (both + seen if i == 0 else both).to(state.dtype).chunk(2, -1)  # autocast halves products
            state = torch.lerp(state, h.tanh(), t.sigmoid())
        return state


class Rhn(DepthSpace):
    """One recurrent layer whose step is 1 to ``deepest`` highway layers deep, and a decoder tied to the embedding."""

    def __init__(self, task: Task, *, deepest: PositiveInt, search: Form, final: Form) -> None:
        super().__init__(task, deepest, FORMAT, {"search": search, "final": final}, network)


def network(depth: int, task: Task, form: Form) -> Language:
    """Return the language model whose recurrent step has so many layers."""
    return Language([Highway(depth, form)], task, form.units, form.dropouts, form.init_range)
