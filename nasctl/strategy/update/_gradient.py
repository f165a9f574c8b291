"""Base of updates that follow a gradient of the policy's log-probabilities: the baseline and Adam."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from nasctl.core import State
from nasctl.errors import RequestError
from nasctl.strategy.policy import DifferentiablePolicy, Policy
from nasctl.strategy.update.baseline import MakeBaseline


class GradientUpdate:
    """Adam on the parameters of a policy, and a baseline of the rewards.

    ``eps_hat``: epsilon is added to Adam's denominator before the correction for the start, as in TensorFlow.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        eps_hat: bool,
        baseline: MakeBaseline,
    ) -> None:
        if not isinstance(policy, DifferentiablePolicy):
            raise RequestError(
                "strategy: this update follows gradients of log-probabilities, which this policy does not have; "
                "choose strategy/policy=lstm or strategy/update=q_learning"
            )
        self.policy, self.baseline = policy, baseline(1)
        self.optimizer = torch.optim.Adam(policy.parameters(), lr, betas, eps)
        self.eps, self.eps_hat, self.steps = eps, eps_hat, 0

    def advantages(self, rewards: Tensor) -> Tensor:
        """Return rewards ``(batch,)`` minus the baseline, which records each reward before it is subtracted."""
        told = torch.tensor([True])
        return torch.cat([self.baseline.advantage(reward, told) for reward in rewards.split(1)])

    def descend(self, loss: Tensor) -> None:
        """Take an Adam step."""
        self.optimizer.zero_grad()
        loss.backward()
        self.steps += 1
        if self.eps_hat:
            for group in self.optimizer.param_groups:
                group["eps"] = self.eps / math.sqrt(1 - group["betas"][1] ** self.steps)
        self.optimizer.step()

    def state_dict(self) -> State:
        parts = {"optimizer": self.optimizer.state_dict(), "baseline": self.baseline.state_dict()}
        return parts | {"steps": self.steps}

    def load_state_dict(self, state: State) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        self.baseline.load_state_dict(state["baseline"])
        self.steps = state["steps"]


def tensor_of(rewards: Sequence[float]) -> Tensor:
    return torch.tensor(rewards, dtype=torch.float64)
