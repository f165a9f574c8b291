"""The plain reward: one metric, as it is or negated."""

from __future__ import annotations

from nasctl.core import Metrics
from nasctl.errors import unknown


class Metric:
    """``maximize`` says whether more of the metric ``name`` is better."""

    resources: tuple[str, ...] = ()

    def __init__(self, *, name: str, maximize: bool) -> None:
        self.name, self.sign = name, 1.0 if maximize else -1.0

    def __call__(self, metrics: Metrics) -> float:
        return self.quality(metrics)

    def quality(self, metrics: Metrics) -> float:
        if self.name not in metrics:
            raise unknown("reward.name", self.name, metrics)
        return self.sign * metrics[self.name]
