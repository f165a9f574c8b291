"""Adam ascent of several replicas, of which only some take a step.

Kingma and Ba 2015, https://arxiv.org/abs/1412.6980.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nasctl.core import State

MOMENTS = ("mean", "square", "steps")


class MaskedAdam:
    """Moves ``logits (replicas, decisions, options)`` in place."""

    def __init__(self, logits: Tensor, *, lr: float, betas: tuple[float, float], eps: float) -> None:
        self.logits, self.lr, self.betas, self.eps = logits, lr, betas, eps
        self.mean, self.square = torch.zeros_like(logits), torch.zeros_like(logits)
        self.steps = torch.zeros(len(logits), dtype=torch.float64)

    @torch.no_grad()
    def ascend(self, gradient: Tensor, moved: Tensor, rate: Tensor) -> None:
        """Take a step up ``gradient`` at ``rate (replicas,)`` times lr, where ``moved (replicas,)`` is true."""
        first, second = self.betas
        where = moved[:, None, None]
        self.steps += moved
        self.mean = torch.where(where, self.mean.lerp(gradient, 1 - first), self.mean)
        self.square = torch.where(where, self.square.lerp(gradient.square(), 1 - second), self.square)
        corrected = [1 - beta ** self.steps.clamp(min=1)[:, None, None] for beta in self.betas]
        step = self.mean / corrected[0] / ((self.square / corrected[1]).sqrt() + self.eps)
        self.logits.copy_(torch.where(where, self.logits + rate[:, None, None] * self.lr * step, self.logits))

    def state_dict(self) -> State:
        return {name: getattr(self, name) for name in MOMENTS}

    def load_state_dict(self, state: State) -> None:
        for name in MOMENTS:
            setattr(self, name, state[name].clone())
