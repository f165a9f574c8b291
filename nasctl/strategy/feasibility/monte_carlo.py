"""Rejection of infeasible samples, with an estimate of P(V) by importance sampling.

Yang et al. 2022 (TabNAS), https://arxiv.org/abs/2204.07615, section 4.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, PositiveInt
from torch import Tensor

from nasctl.strategy.feasibility import FeasibleSets, Mass
from nasctl.strategy.feasibility._sums import joined
from nasctl.strategy.policy._categorical import choose, log_probability

Share = Annotated[float, Field(ge=0, le=1)]
CACHED = 64  # replicas whose samples are counted at once, so that they stay in a core's cache


class MonteCarlo:
    """Importance sampling: the mean of ``p / q`` over the feasible of ``samples`` draws from a proposal q.

    q is the policy itself, but for a share ``proposal_uniform`` of draws that are uniform over the space. Both
    ``value`` and its gradient are unbiased, but for uniforms that are multiples of 2^-24; their ratio, the
    gradient of the logarithm, is consistent.
    """

    rejects, exact = True, False

    def __init__(self, sets: FeasibleSets, *, samples: PositiveInt, proposal_uniform: Share) -> None:
        self.sizes, self.members = torch.tensor(sets.sizes), sets.members
        self.samples, self.uniform = samples, proposal_uniform
        self.extra = 1 if proposal_uniform else 0  # a row that chooses between the two parts of q

    def mass(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass:
        parts = zip(log_probabilities.split(CACHED), uniforms.split(CACHED), strict=True)
        return joined([self._mass(*part) for part in parts])

    def _mass(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass:
        p, count = log_probabilities.exp(), len(self.sizes)
        archs = choose(p, uniforms[:, :count], self.sizes)
        if self.uniform:
            anywhere = (uniforms[:, :count].double() * self.sizes[:, None]).long()
            archs = torch.where(uniforms[:, count:] < self.uniform, anywhere, archs.transpose(1, 2)).transpose(1, 2)
        weights = self._ratio(log_probabilities, archs) * self.members(archs)
        total = weights.sum(1)
        counts = torch.zeros_like(p).scatter_add_(
            2, archs.transpose(1, 2), weights[:, None].expand(-1, count, -1).contiguous()
        )
        expected = torch.where(total[:, None, None] > 0, counts / total[:, None, None], p)
        return Mass(total / self.samples, expected)

    def _ratio(self, log_probabilities: Tensor, archs: Tensor) -> Tensor:
        """Return p / q of ``archs``, ``(replicas, samples)``."""
        if not self.uniform:
            return torch.ones(archs.shape[:2], dtype=torch.float64)
        log_p, uniform = log_probability(log_probabilities, archs), torch.tensor(self.uniform, dtype=torch.float64)
        log_q = torch.logaddexp(
            log_p + (1 - uniform).log(), (uniform.log() - self.sizes.double().log().sum()).expand_as(log_p)
        )
        return (log_p - log_q).exp()
