"""Proximal policy optimisation: several passes over one batch, with a clipped probability ratio.

Schulman et al. 2017, https://arxiv.org/abs/1707.06347, equations 7 and 9, without a value function: the baseline is
that of the rewards. Zoph et al. 2018 (NASNet), https://arxiv.org/abs/1707.07012, train their controller so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from nasctl.core import Architecture
from nasctl.strategy.policy import Policy
from nasctl.strategy.policy._samples import Samples
from nasctl.strategy.update import Beta
from nasctl.strategy.update._gradient import GradientUpdate, tensor_of
from nasctl.strategy.update.baseline import MakeBaseline


class PPO(GradientUpdate):
    """Ascend ``min(r A, clip(r, 1 - clip, 1 + clip) A)`` plus ``entropy_weight`` times the entropy, ``passes`` times.

    r is the ratio of an option's probability now to that before the update, A the advantage of its walk. The mean is
    over all decisions of the batch. The entropy has a gradient.
    """

    def __init__(
        self,
        policy: Policy,
        seed: int,
        *,
        lr: PositiveFloat,
        betas: tuple[Beta, Beta],
        eps: PositiveFloat,
        eps_hat: bool,
        passes: PositiveInt,
        clip: Annotated[float, Field(gt=0, lt=1)],
        entropy_weight: NonNegativeFloat,
        baseline: MakeBaseline,
    ) -> None:
        super().__init__(policy, lr=lr, betas=betas, eps=eps, eps_hat=eps_hat, baseline=baseline)
        self.passes, self.clip, self.entropy_weight = passes, clip, entropy_weight

    def learn(self, archs: Sequence[Architecture], rewards: Sequence[float]) -> None:
        with torch.no_grad():
            before = self.policy.score(archs).log_probabilities
        advantages = self.advantages(tensor_of(rewards))
        for _ in range(self.passes):
            self.descend(self.loss(self.policy.score(archs), before, advantages))

    def loss(self, samples: Samples, before: Tensor, advantages: Tensor) -> Tensor:
        """Return the loss of a step; ``before (batch, decisions)`` are the log-probabilities of the old policy."""
        ratios = (samples.log_probabilities - before).exp()
        clipped = ratios.clamp(1 - self.clip, 1 + self.clip)
        surrogate = torch.minimum(ratios * advantages[:, None], clipped * advantages[:, None])
        taken = samples.options >= 0  # where the walk has not ended
        return -(surrogate + self.entropy_weight * samples.entropies)[taken].mean()
