"""REINFORCE of a policy with gradients, as ENAS trains its controller.

Williams 1992, https://doi.org/10.1007/BF00992696; Pham et al. 2018 (ENAS), https://arxiv.org/abs/1802.03268, section
2.2, and its released code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor

from nasctl.core import Architecture
from nasctl.strategy.policy import Policy
from nasctl.strategy.policy._samples import Samples
from nasctl.strategy.update import Beta
from nasctl.strategy.update._gradient import GradientUpdate, tensor_of
from nasctl.strategy.update.baseline import MakeBaseline

Share = Annotated[float, Field(gt=0, lt=1)]


class Reinforce(GradientUpdate):
    """Ascend ``(R - baseline) * log p(x)`` less ``skip_weight`` times the skip penalty, averaged over the batch.

    R is the reward plus ``entropy_weight`` times the walk's entropy: that of each decision's softmax, or with
    ``entropy=sampled`` the estimate ``-p log p`` of the options taken.
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
        entropy: Literal["exact", "sampled"],
        entropy_weight: NonNegativeFloat,
        skip_target: Share,
        skip_weight: NonNegativeFloat,
        baseline: MakeBaseline,
    ) -> None:
        super().__init__(policy, lr=lr, betas=betas, eps=eps, eps_hat=eps_hat, baseline=baseline)
        self.entropy, self.entropy_weight = entropy, entropy_weight
        self.skip_target, self.skip_weight = skip_target, skip_weight

    def learn(self, archs: Sequence[Architecture], rewards: Sequence[float]) -> None:
        self.descend(self.loss(self.policy.score(archs), tensor_of(rewards)))

    def loss(self, samples: Samples, rewards: Tensor) -> Tensor:
        """Return the loss of a step; the baseline records the rewards."""
        advantages = self.advantages(rewards + self.entropy_weight * self._entropy(samples))
        objective = advantages * samples.log_probabilities.sum(1)
        return (self.skip_weight * samples.skip_penalty(self.skip_target) - objective).mean()

    @torch.no_grad()
    def _entropy(self, samples: Samples) -> Tensor:
        if self.entropy == "exact":
            return samples.entropies.sum(1)
        return -(samples.log_probabilities * samples.log_probabilities.exp()).sum(1)
