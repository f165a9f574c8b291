"""No shaping: the last decision gets the whole reward (https://arxiv.org/abs/1611.02167, section 4)."""

from __future__ import annotations

from collections.abc import Sequence


class Last:
    """Earlier decisions learn from the values that follow them."""

    def rewards(self, decisions: int, reward: float) -> Sequence[float]:
        return [0.0] * (decisions - 1) + [reward]
