"""No rejection: infeasible samples are evaluated, and only what the estimator does not cover is skipped.

What costs too much is for the reward to say, as in TuNAS (https://arxiv.org/abs/2008.06120).
"""

from __future__ import annotations

from torch import Tensor

from nasctl.strategy.feasibility import FeasibleSets, Mass


class NoRejection:
    """The mass is that of the whole space."""

    rejects = exact = False
    samples = extra = 0

    def __init__(self, sets: FeasibleSets) -> None: ...

    def mass(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass:
        p = log_probabilities.exp()
        return Mass(p.new_ones(len(p)), p)
