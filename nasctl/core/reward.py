"""Metrics to one number."""

from __future__ import annotations

from typing import Protocol

from nasctl.core.data import Metrics


class Reward(Protocol):
    """Metrics to one number, higher is better."""

    resources: tuple[str, ...]  # costs of the final form that it reads beside the metrics

    def __call__(self, metrics: Metrics) -> float: ...

    def quality(self, metrics: Metrics) -> float:
        """Return the reward without what it says of costs."""
