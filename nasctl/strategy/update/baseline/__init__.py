"""Baselines of policy gradients: what is subtracted from a reward to lower the variance of the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from nasctl.core import State


class Baseline(Protocol):
    """Is made from the number of replicas."""

    def advantage(self, rewards: Tensor, told: Tensor) -> Tensor:
        """Record the ``rewards (replicas,)`` where ``told`` is true, and return the advantages; 0 elsewhere."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


MakeBaseline = Callable[[int], Baseline]
