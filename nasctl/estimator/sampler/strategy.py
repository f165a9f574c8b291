"""Paths that the strategy samples: ENAS, TuNAS, DARTS."""

from __future__ import annotations

from collections.abc import Sequence

from nasctl.estimator.sampler._paths import Path, Stateless, WeightStep


class OfStrategy(Stateless):
    """One sample of the strategy a step; a relaxed one trains all paths at once."""

    def paths(self, step: WeightStep) -> Sequence[Path]:
        return [(step.sample(), 1.0)]
