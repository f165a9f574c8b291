"""The mean of the weights over all steps since a given step: averaged stochastic gradient descent.

Polyak and Juditsky 1992, https://doi.org/10.1137/0330046; started by a trigger in Merity et al. 2018,
https://arxiv.org/abs/1708.02182, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from nasctl.core import State


class Mean:
    """``mean <- mean + (weights - mean) / n`` after the n-th step; before the first step it holds the initial weights.

    `torch.optim.ASGD` with ``t0=0`` and ``lambd=0`` forgets the first step and takes each step at the rate of the
    step before; this class does neither.
    """

    def __init__(self, model: nn.Module) -> None:
        self.steps = 0
        self.weights = {name: value.clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Update the mean with the weights after a step."""
        self.steps += 1
        weights = [value.to(self.weights[name].dtype) for name, value in model.state_dict().items()]
        torch._foreach_lerp_(list(self.weights.values()), weights, weight=1 / self.steps)

    def state_dict(self) -> State:
        return {"weights": self.weights, "steps": self.steps}

    def load_state_dict(self, state: State) -> None:
        for name, value in state["weights"].items():
            self.weights[name].copy_(value)
        self.steps = state["steps"]


def stalled(losses: Sequence[float], loss: float, patience: int) -> bool:
    """Return whether ``loss`` is above the least of all ``losses`` before it but the last ``patience``.

    The non-monotonic trigger of Merity et al. 2018, algorithm 1, as their code has it.
    """
    return len(losses) > patience and loss > min(losses[: len(losses) - patience])
