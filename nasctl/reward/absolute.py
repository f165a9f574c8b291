"""The absolute-value reward: quality less a fine for being on either side of a target cost.

Bender et al. 2020 (TuNAS), https://arxiv.org/abs/2008.06120, section 3.
"""

from __future__ import annotations

from pydantic import NonPositiveFloat, PositiveFloat

from nasctl.core import Metrics
from nasctl.reward.metric import Metric


class Absolute(Metric):
    """``quality + beta * |cost / target - 1|``; ``cost`` is ``resource`` of the final form, in its own unit."""

    def __init__(
        self, *, name: str, maximize: bool, resource: str, target: PositiveFloat, beta: NonPositiveFloat
    ) -> None:
        super().__init__(name=name, maximize=maximize)
        self.resources, self.target, self.beta = (resource,), target, beta

    def __call__(self, metrics: Metrics) -> float:
        (resource,) = self.resources
        return self.quality(metrics) + self.beta * abs(metrics[resource] / self.target - 1)
