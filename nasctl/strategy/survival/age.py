"""Aging: the oldest member dies (Real et al. 2019, https://arxiv.org/abs/1802.01548)."""

from __future__ import annotations

from nasctl.strategy.parent_selection import Population


class Age:
    """Even the best member dies of age."""

    def dies(self, population: Population) -> int:
        return 0
