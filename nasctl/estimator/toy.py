"""Declared losses, one for each architecture, such as those of TabNAS's toy problem.

Yang et al. 2022, https://arxiv.org/abs/2204.07615, section 3; the losses are those of its code,
https://github.com/google-research/tabnas.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nasctl.core import Architecture, Candidate, EstimatorContext, Evaluation, Metrics
from nasctl.errors import RequestError
from nasctl.estimator._independent import IndependentEstimator
from nasctl.estimator._synthetic import ERROR_KIND, declared


class Toy(IndependentEstimator):
    """``losses`` by the space's notation, each in [0, 1]; accuracy is what is left of 1."""

    error_kind = ERROR_KIND

    def __init__(
        self,
        context: EstimatorContext,
        *,
        losses: dict[str, Annotated[float, Field(ge=0, le=1)]],
    ) -> None:
        self.space = context.space
        self.losses = losses

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        return Evaluation(self.look_up(candidate.arch))

    def look_up(self, arch: Architecture) -> Metrics:
        return declared(self.accuracy(arch))

    def accuracy(self, arch: Architecture) -> float:
        name = self.space.format.notation(self.space.genotype(arch))
        if name not in self.losses:
            raise RequestError(f"estimator.losses: has no loss for {name}; add it or choose space=toy")
        return 1 - self.losses[name]
