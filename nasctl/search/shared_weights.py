"""The shared weights of a finished search, as a score of architectures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nasctl.core import Architecture, Candidate, Estimator, Metrics, WeightSharing


class SharingEstimator(Estimator, WeightSharing, Protocol):
    """An estimator whose candidates share weights."""


@dataclass(frozen=True)
class SharedWeights:
    """The estimator of a finished search with the weights that it ended with; ``facts`` name the run."""

    estimator: SharingEstimator
    facts: Mapping[str, Any]

    def score(self, arch: Architecture) -> Metrics:
        """Return the metrics of an architecture, a function of it alone."""
        return self.estimator.score(Candidate(arch))
