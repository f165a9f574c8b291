"""An exponential moving average of the weights.

Polyak and Juditsky 1992, https://doi.org/10.1137/0330046, as used for image classifiers by Szegedy et al. 2016,
https://arxiv.org/abs/1512.00567, section 8.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nasctl.core import State


class Average:
    """``average <- d * average + (1 - d) * weights`` after each step, starting from the initial weights.

    At update n, counted from 0, ``d = min(decay, (1 + n) / (10 + n))``: without it a short training would keep
    its first weights. Running statistics of norms are averaged with the weights; counters are copied.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.weights = {name: value.clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Update the average with the weights after a step."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        floating: tuple[list[Tensor], list[Tensor]] = [], []
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                floating[0].append(self.weights[name])
                floating[1].append(value)
            else:
                self.weights[name].copy_(value)
        torch._foreach_lerp_(*floating, weight=1 - decay)
        self.updates += 1

    def state_dict(self) -> State:
        return {"weights": self.weights, "updates": self.updates}

    def load_state_dict(self, state: State) -> None:
        for name, value in state["weights"].items():
            self.weights[name].copy_(value)
        self.updates = state["updates"]
