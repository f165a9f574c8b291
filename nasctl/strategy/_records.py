"""What a batch of replicas remembers of its samples and trials: a row of each tensor for each replica."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nasctl.core import State

TENSORS = ("missed", "skipped", "last", "best", "best_rewards")


class Records:
    """``missed`` counts the samples rejected one after the other, ``skipped`` all of them; -1 stands for no option."""

    def __init__(self, replicas: int, decisions: int) -> None:
        self.missed, self.skipped = (torch.zeros(replicas, dtype=torch.int64) for _ in range(2))
        self.last = torch.full((replicas, decisions), -1)  # the last sample that was evaluated
        self.best, self.best_rewards = self.last.clone(), torch.full((replicas,), -math.inf).double()

    def sampled(self, archs: Tensor, active: Tensor, wanted: Tensor) -> None:
        """Record samples ``(replicas, decisions)``: which replicas are active, and which evaluate theirs."""
        self.skipped = self.skipped + (active & ~wanted)
        self.missed = torch.where(wanted, 0, self.missed + active)
        self.last = torch.where(wanted[:, None], archs, self.last)

    def told(self, archs: Tensor, rewards: Tensor, told: Tensor) -> None:
        """Record trials where ``told``."""
        better = told & (rewards > self.best_rewards)
        self.best = torch.where(better[:, None], archs, self.best)
        self.best_rewards = torch.where(better, rewards, self.best_rewards)

    def state_dict(self) -> State:
        return {name: getattr(self, name) for name in TENSORS}

    def load_state_dict(self, state: State) -> None:
        for name in TENSORS:
            setattr(self, name, state[name].clone())
