"""Equal shares: each decision gets the same part of the reward (https://arxiv.org/abs/1708.05552, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence


class Equal:
    """Early decisions learn at once, not only by the values that follow them."""

    def rewards(self, decisions: int, reward: float) -> Sequence[float]:
        return [reward / decisions] * decisions
