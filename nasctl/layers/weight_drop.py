"""An LSTM layer whose recurrent weights are dropped.

Merity et al. 2018, https://arxiv.org/abs/1708.02182, section 2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Pair = tuple[Tensor, Tensor]
NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")  # in the order that torch wants them


class WeightDropLSTM(nn.Module):
    """One LSTM layer; a share ``weight_dropout`` of its hidden-to-hidden weights is zero at all steps of a call."""

    def __init__(self, inputs: int, units: int, weight_dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, units)
        self.units, self.weight_dropout = units, weight_dropout
        self.macs = 4 * units * (inputs + units)

    def init_hidden(self, batch: int) -> Pair:
        """Return zeros for the output and the cell, ``(batch, units)`` each."""
        zeros = next(self.lstm.parameters()).new_zeros(2, batch, self.units)
        return zeros[0], zeros[1]

    def forward(self, x: Tensor, state: Pair) -> tuple[Tensor, Pair]:
        """Map ``(T, B, inputs)`` and the state before it to ``(T, B, units)`` and the state after it."""
        weights: dict[str, Tensor] = dict(self.lstm.named_parameters())
        if self.training and self.weight_dropout:
            weights["weight_hh_l0"] = F.dropout(weights["weight_hh_l0"], self.weight_dropout)
        before = [part[None].contiguous() for part in state]
        flat = [weights[name] for name in NAMES]
        outputs, h, c = torch.lstm(x, before, flat, True, 1, 0.0, self.training, False, False)
        return outputs, (h[0], c[0])
