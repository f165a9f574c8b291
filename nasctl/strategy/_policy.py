"""Independent categorical policies, one of each replica: probabilities, samples, and Adam on the logits.

All tensors are float64 and begin with the replicas: logits are ``(replicas, decisions, options)``, where
options are those of the widest decision and the missing ones of the others have probability 0.
Williams 1992, https://doi.org/10.1007/BF00992696; Kingma and Ba 2015, https://arxiv.org/abs/1412.6980.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nasctl.core import State


class Policy:
    """Softmax policies over decisions with ``sizes`` options, trained by Adam ascent."""

    def __init__(
        self, replicas: int, sizes: Sequence[int], *, lr: float, betas: tuple[float, float], eps: float
    ) -> None:
        self.sizes, self.lr, self.betas, self.eps = torch.tensor(sizes), lr, betas, eps
        shape = (replicas, len(sizes), max(sizes))
        self.missing = torch.arange(shape[2]) >= self.sizes[:, None]
        self.logits, self.mean, self.square = (torch.zeros(shape, dtype=torch.float64) for _ in range(3))
        self.updates = torch.zeros(replicas, dtype=torch.float64)
        self._current: Tensor | None = None

    def log_probabilities(self) -> Tensor:
        """Return log-probabilities ``(replicas, decisions, options)``; -inf where an option is missing."""
        if self._current is None:
            self._current = self.logits.masked_fill(self.missing, float("-inf")).log_softmax(-1)
        return self._current

    def ascend(self, gradient: Tensor, moved: Tensor, rate: Tensor) -> None:
        """Take an Adam step up ``gradient`` at ``rate (replicas,)`` times lr, where ``moved (replicas,)`` is true."""
        first, second = self.betas
        where = moved[:, None, None]
        self.updates += moved
        self.mean = torch.where(where, self.mean.lerp(gradient, 1 - first), self.mean)
        self.square = torch.where(where, self.square.lerp(gradient.square(), 1 - second), self.square)
        corrected = [1 - beta ** self.updates.clamp(min=1)[:, None, None] for beta in self.betas]
        step = self.mean / corrected[0] / ((self.square / corrected[1]).sqrt() + self.eps)
        self.logits = torch.where(where, self.logits + rate[:, None, None] * self.lr * step, self.logits)
        self._current = None

    def state_dict(self) -> State:
        return {"logits": self.logits, "mean": self.mean, "square": self.square, "updates": self.updates}

    def load_state_dict(self, state: State) -> None:
        self.logits, self.mean, self.square, self.updates = (
            state[name].clone() for name in ("logits", "mean", "square", "updates")
        )
        self._current = None


class Baseline:
    """Exponential moving average of the rewards of each replica; ``corrected`` for its start at zero or not."""

    def __init__(self, replicas: int, momentum: float, *, corrected: bool) -> None:
        self.momentum, self.corrected = momentum, corrected
        self.sum, self.weight = torch.zeros(replicas).double(), torch.zeros(replicas).double()

    def advantage(self, rewards: Tensor, told: Tensor) -> Tensor:
        """Take in the ``rewards (replicas,)`` where ``told`` is true, and return what they are above the average."""
        keep = 1 - (1 - self.momentum) * told.double()
        rewards = rewards.where(told, torch.zeros_like(rewards))
        self.sum = self.sum * keep + rewards * (1 - keep)
        self.weight = self.weight * keep + (1 - keep)
        average = self.sum / self.weight if self.corrected else self.sum
        return torch.where(told, rewards - average, torch.zeros_like(rewards))

    def state_dict(self) -> State:
        return {"sum": self.sum, "weight": self.weight}

    def load_state_dict(self, state: State) -> None:
        self.sum, self.weight = state["sum"].clone(), state["weight"].clone()


def choose(probabilities: Tensor, uniforms: Tensor, sizes: Tensor) -> Tensor:
    """Return the options ``(replicas, samples, decisions)`` that ``uniforms (replicas, decisions, samples)`` pick.

    ``probabilities`` are ``(replicas, decisions, options)``; an option is taken by inverting their sum.
    """
    last = torch.arange(probabilities.shape[2]) >= sizes[:, None] - 1  # or missing: nothing lies above it
    thresholds = probabilities.cumsum(-1).masked_fill(last, torch.inf).to(uniforms.dtype)
    picked, above = torch.zeros_like(uniforms), torch.empty_like(uniforms)
    for threshold in thresholds[..., :-1].unbind(-1):  # for so few options faster than searchsorted
        picked += torch.ge(uniforms, threshold[..., None], out=above)  # into numbers: booleans take six times as long
    return picked.long().transpose(1, 2)


def log_probability(log_probabilities: Tensor, archs: Tensor) -> Tensor:
    """Return the log-probabilities ``(replicas, samples)`` of ``archs (replicas, samples, decisions)``."""
    return log_probabilities.gather(2, archs.transpose(1, 2)).sum(1)


def one_hot(archs: Tensor, options: int) -> Tensor:
    """Return ``(..., decisions)`` as ``(..., decisions, options)`` in float64."""
    return torch.nn.functional.one_hot(archs, options).double()
