"""A zero-cost score of one's own, which reads data and has a setting."""

from __future__ import annotations

import torch

from nasctl.estimator.score import Untrained


class Spread:
    """A power of the standard deviation of an untrained network's outputs."""

    name, reads_data, tasks = "spread", True, None

    def __init__(self, *, power: float) -> None:
        self.power = power

    @torch.no_grad()
    def score(self, candidate: Untrained) -> float:
        inputs, _ = candidate.batch()
        return float(candidate.network()(inputs).std() ** self.power)
