"""An exponential moving average of the rewards of each replica."""

from __future__ import annotations

import torch
from torch import Tensor

from nasctl.core import State
from nasctl.strategy.update import Beta


class MovingAverage:
    """Each reward enters the average before that is subtracted; ``corrected`` for its start at zero or not."""

    def __init__(self, replicas: int, *, momentum: Beta, corrected: bool) -> None:
        self.momentum, self.corrected = momentum, corrected
        self.sum, self.weight = torch.zeros(replicas).double(), torch.zeros(replicas).double()

    def advantage(self, rewards: Tensor, told: Tensor) -> Tensor:
        keep = 1 - (1 - self.momentum) * told.double()
        rewards = rewards.where(told, torch.zeros_like(rewards))
        self.sum = self.sum * keep + rewards * (1 - keep)
        self.weight = self.weight * keep + (1 - keep)
        average = self.sum / self.weight if self.corrected else self.sum
        return torch.where(told, rewards - average, torch.zeros_like(rewards))

    def state_dict(self) -> State:
        return {"sum": self.sum, "weight": self.weight}

    def load_state_dict(self, state: State) -> None:
        self.sum, self.weight = state["sum"].clone(), state["weight"].clone()
