"""A declared quality that grows with cost and differs between architectures of equal cost.

No measurement: it lets a method be watched on a space of real costs whose accuracies are not at hand.
"""

from __future__ import annotations

import statistics
from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat

from nasctl.core import Architecture, Candidate, EstimatorContext, Evaluation, Metrics
from nasctl.estimator._independent import IndependentEstimator
from nasctl.estimator._synthetic import ERROR_KIND, declared
from nasctl.seeds import position_seed

SEEDS = 2**63  # of position_seed


class Synthetic(IndependentEstimator):
    """``error = floor + span * (cost / reference) ** -exponent + spread * z``, in percent, within [0, 100].

    ``cost`` is ``resource`` of the final form. ``z`` is standard normal, fixed for each architecture by
    ``quality_seed`` and its notation, so the landscape is the same for every seed of a search.
    """

    error_kind = ERROR_KIND

    def __init__(
        self,
        context: EstimatorContext,
        *,
        resource: str,
        reference: PositiveFloat,
        floor: Annotated[float, Field(ge=0, le=100)],
        span: NonNegativeFloat,
        exponent: PositiveFloat,
        spread: NonNegativeFloat,
        quality_seed: int,
    ) -> None:
        self.space = context.space
        self.resource, self.reference, self.floor, self.span = resource, reference, floor, span
        self.exponent, self.spread, self.quality_seed = exponent, spread, quality_seed

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        return Evaluation(self.look_up(candidate.arch))

    def look_up(self, arch: Architecture) -> Metrics:
        return declared(self.accuracy(arch))

    def accuracy(self, arch: Architecture) -> float:
        genotype = self.space.genotype(arch)
        cost = self.space.cost(genotype, self.resource) / self.reference
        luck = self._z(self.space.format.notation(genotype))
        error: float = self.floor + self.span * cost**-self.exponent + self.spread * luck
        return 1 - min(max(error, 0.0), 100.0) / 100

    def _z(self, notation: str) -> float:
        uniform = (position_seed(self.quality_seed, "quality", notation) + 0.5) / SEEDS
        return statistics.NormalDist().inv_cdf(uniform)
