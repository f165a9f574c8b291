"""The product reward of MnasNet: quality times a power of the cost over its target.

Tan et al. 2019, https://arxiv.org/abs/1807.11626, equations 2 and 3.
"""

from __future__ import annotations

from pydantic import NonPositiveFloat, PositiveFloat

from nasctl.core import Metrics
from nasctl.errors import RequestError
from nasctl.reward.metric import Metric


class Power(Metric):
    """``quality * (cost / target) ** w``, with ``w = alpha`` up to the target and ``beta`` above it.

    ``cost`` is ``resource`` of the final form. A negative quality is a `RequestError`: the product would
    praise what costs too much.
    """

    def __init__(
        self,
        *,
        name: str,
        maximize: bool,
        resource: str,
        target: PositiveFloat,
        alpha: NonPositiveFloat,
        beta: NonPositiveFloat,
    ) -> None:
        super().__init__(name=name, maximize=maximize)
        self.resources, self.target, self.alpha, self.beta = (resource,), target, alpha, beta

    def __call__(self, metrics: Metrics) -> float:
        quality = self.quality(metrics)
        if quality < 0:
            raise RequestError(
                f"reward.name={self.name}: a quality of {quality:g} cannot be multiplied by a power of the cost; "
                "name a metric that is positive and larger when better, or choose reward=absolute"
            )
        (resource,) = self.resources
        ratio = metrics[resource] / self.target
        value: float = quality * ratio ** (self.alpha if ratio <= 1 else self.beta)
        return value
