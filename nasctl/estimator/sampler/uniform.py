"""Uniform paths.

Guo et al. 2020, https://arxiv.org/abs/1904.00420, section 3.2; Li and Talwalkar 2019,
https://arxiv.org/abs/1902.07638, section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from nasctl.core import Candidate
from nasctl.estimator.sampler._paths import Path, Stateless, WeightStep


class Uniform(Stateless):
    """One path a step, uniform over the whole space, whatever a constraint forbids."""

    def paths(self, step: WeightStep) -> Sequence[Path]:
        return [(Candidate(step.uniform()), 1.0)]
