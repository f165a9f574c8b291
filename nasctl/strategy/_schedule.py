"""The schedule of a policy gradient: a warm-up without updates, and a learning rate that grows exponentially.

Bender et al. 2020 (TuNAS), https://arxiv.org/abs/2008.06120.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from nasctl.errors import RequestError


class Schedule:
    """Factors of the learning rate over a search of ``horizon`` trials, of which ``warmup`` is a share.

    The rate grows by the factor ``growth`` until the end, from the start of the search or from the end of the warm-up.
    """

    def __init__(
        self, *, horizon: int | None, warmup: float, growth: float, growth_from: Literal["start", "warmup"]
    ) -> None:
        if horizon is None and (warmup or growth != 1):
            raise RequestError(
                f"strategy: warmup={warmup} and lr_growth={growth} are shares of a search of known length; "
                "set budget.trials or strategy.horizon"
            )
        self.horizon, self.warmup, self.growth = horizon, warmup, growth
        self.start = warmup if growth_from == "warmup" else 0.0  # share of the search before the rate grows

    def progress(self, told: Tensor) -> Tensor:
        """Return the share of the search after ``told (replicas,)`` trials."""
        return (told.double() / (self.horizon or math.inf)).clamp(max=1)

    def rate(self, told: Tensor) -> Tensor:
        """Return the factor of the learning rate, ``(replicas,)``: 0 in the warm-up, then growing."""
        progress = self.progress(told)
        grown = (progress - self.start) / (1 - self.start) if self.start < 1 else 0.0 * progress
        return torch.where(progress < self.warmup, 0.0, self.growth**grown)
