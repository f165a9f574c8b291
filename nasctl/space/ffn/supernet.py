"""Shared weights of all widths: a narrow layer is the first units of the widest one.

The relaxed form is that of channel masks (Wan et al. 2020, https://arxiv.org/abs/2004.05565, section 3.1): a layer's
output is multiplied by the mixture of the masks of its widths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from nasctl.core import Candidate, Genotype, State, Task
from nasctl.layers.mixture import Terms, terms
from nasctl.space.ffn.network import Form, Network


class FfnSupernet(Network):
    """The network of the widest layers; the path of an architecture multiplies its own slices and nothing else."""

    def __init__(self, widths: Sequence[int], layers: int, task: Task, form: Form) -> None:
        super().__init__([max(widths)] * layers, task, form)
        self.widths = list(widths)

    def forward(self, x: Tensor, candidate: Candidate) -> Tensor:  # type: ignore[override]
        x = self.inputs(x)
        for layer, mixture in zip(self.layers, terms(candidate, list), strict=True):
            x = self._mixed(x, layer, mixture)
        return linear(x, self.classifier.weight[:, : x.shape[1]], self.classifier.bias)

    def _mixed(self, x: Tensor, layer: Any, mixture: Terms) -> Tensor:
        """Return ``(n, width)`` of the widest option in the mixture."""
        width = max(self.widths[option] for option, _ in mixture)
        y = linear(x, layer.weight[:width, : x.shape[1]], layer.bias[:width]).relu()
        masks = [weight * self._mask(option, y) for option, weight in mixture if weight is not None]
        return y * torch.stack(masks).sum(0) if masks else y

    def _mask(self, option: int, y: Tensor) -> Tensor:
        return (torch.arange(y.shape[1], device=y.device) < self.widths[option]).to(y.dtype)

    def subnet_state(self, genotype: Genotype) -> State:
        """Return the shared weights of ``genotype`` under the names of its network of the form ``search``."""
        state = {name: value for name, value in self.state_dict().items() if name.startswith("inputs.")}
        hidden: Sequence[Any] = list(self.layers)
        before = hidden[0].in_features
        for i, (layer, width) in enumerate(zip(hidden, genotype["widths"], strict=True)):
            state[f"layers.{i}.weight"] = layer.weight[:width, :before].detach()
            state[f"layers.{i}.bias"] = layer.bias[:width].detach()
            before = width
        weights = {"weight": self.classifier.weight[:, :before], "bias": self.classifier.bias}
        return state | {f"classifier.{name}": value.detach() for name, value in weights.items()}
