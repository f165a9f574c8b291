"""REINFORCE of independent logits for several replicas at once, with or without the rejection-based reward.

Williams 1992, https://doi.org/10.1007/BF00992696; Yang et al. 2022 (TabNAS), https://arxiv.org/abs/2204.07615,
section 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import PositiveFloat
from torch import Tensor

from nasctl.core import State
from nasctl.strategy._uniforms import Uniforms
from nasctl.strategy.feasibility import Feasibility
from nasctl.strategy.policy import VectorizedPolicy
from nasctl.strategy.policy._categorical import one_hot
from nasctl.strategy.update import Beta
from nasctl.strategy.update._masked_adam import MaskedAdam
from nasctl.strategy.update.baseline import MakeBaseline


class VectorizedReinforce:
    """Ascend ``(reward - baseline) * log(p(x) / P(V))`` for the sample x of each replica."""

    def __init__(
        self,
        policy: VectorizedPolicy,
        feasibility: Feasibility,
        seeds: Sequence[int],
        *,
        lr: PositiveFloat,
        betas: tuple[Beta, Beta],
        eps: PositiveFloat,
        baseline: MakeBaseline,
    ) -> None:
        self.policy, self.feasibility = policy, feasibility
        self.optimizer = MaskedAdam(policy.logits, lr=lr, betas=betas, eps=eps)
        self.baseline = baseline(len(seeds))
        self.told = torch.zeros(len(seeds), dtype=torch.int64)
        self.open_stream(seeds)

    def open_stream(self, seeds: Sequence[int]) -> None:
        """Begin the random numbers of the seeds."""
        shape = (len(self.policy.sizes) + self.feasibility.extra, self.feasibility.samples)
        self.stream = Uniforms(seeds, "mass", shape, torch.float32)

    def ascend(self, archs: Tensor, rewards: Tensor, told: Tensor, rate: Tensor) -> None:
        """Move the policies at ``rate (replicas,)`` times lr where ``told (replicas,)`` is true."""
        advantage = self.baseline.advantage(rewards, told)
        gradient, moved = torch.zeros_like(self.policy.logits), told & (rate > 0)
        rows = moved.nonzero().flatten()  # P(V) is needed of these alone
        mass = self.feasibility.mass(self.policy.log_probabilities()[rows], self.stream.at(rows, self.told[rows]))
        sampled = one_hot(archs[rows], gradient.shape[2])
        gradient[rows] = advantage[rows, None, None] * (sampled - mass.expected)
        moved[rows] = mass.value > 0
        self.optimizer.ascend(gradient, moved, rate)
        self.told = self.told + told

    def state_dict(self) -> State:
        parts = {"optimizer": self.optimizer.state_dict(), "baseline": self.baseline.state_dict()}
        return parts | {"told": self.told}

    def load_state_dict(self, state: State) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        self.baseline.load_state_dict(state["baseline"])
        self.told = state["told"].clone()
