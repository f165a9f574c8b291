"""Reward shaping of Q-learning: how the reward of an architecture is divided among the decisions that led to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Shaping(Protocol):
    """Has settings only."""

    def rewards(self, decisions: int, reward: float) -> Sequence[float]:
        """Return a reward for each of the ``decisions`` of a walk."""
