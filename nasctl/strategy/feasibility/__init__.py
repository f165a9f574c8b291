"""Feasibility of samples: whether infeasible ones are rejected, and how their probability is found.

P(V) is the probability that a factorised policy samples a feasible architecture. Yang et al. 2022,
https://arxiv.org/abs/2204.07615, section 4. With ``E[. | V]`` the mean over feasible samples, the gradient of log P(V)
by the logits is ``E[onehot | V] - p``, so a mass comes with ``expected = E[onehot | V]``. Probabilities are float64,
``(replicas, decisions, options)``; masses ``(replicas,)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from nasctl.core import Feasible, FixedChoices
from nasctl.strategy.feasibility._set import FeasibleSet, covered_set, feasible_set


@dataclass(frozen=True)
class Mass:
    """``value`` is P(V) or an estimate; ``value * (expected - p)`` its gradient by the logits."""

    value: Tensor  # (replicas,)
    expected: Tensor  # (replicas, decisions, options)


@dataclass(frozen=True)
class FeasibleSets:
    """Which architectures of a space with ``sizes`` options a decision are feasible, and which are covered."""

    sizes: Sequence[int]
    members: FeasibleSet
    covered: FeasibleSet  # by the estimator, whatever they cost
    feasible: Feasible

    @classmethod
    def of(cls, space: FixedChoices, feasible: Feasible) -> FeasibleSets:
        sizes = [len(decision.options) for decision in space.decisions]
        return cls(sizes, feasible_set(sizes, feasible), covered_set(sizes, feasible), feasible)


class Feasibility(Protocol):
    """Is made from the `FeasibleSets`; its mass needs uniform numbers ``(replicas, decisions + extra, samples)``."""

    rejects: bool  # whether infeasible samples are skipped
    exact: bool  # whether the mass is P(V) itself
    samples: int
    extra: int

    def mass(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass:
        """Return P(V), from ``uniforms`` in float32."""


MakeFeasibility = Callable[[FeasibleSets], Feasibility]
