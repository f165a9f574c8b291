"""Policies: distributions over the walks of a space, which an update moves.

A policy is made from a space and a seed, and its samples are a function of the random numbers that it is handed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from nasctl.core import Architecture, Choices, FixedChoices, State
from nasctl.strategy.policy._samples import Samples

Numbers = Callable[[range], Tensor]
"""Uniform numbers in [0, 1) of a range of positions, ``(batch, positions)``."""


class Policy(Protocol):
    """Samples architectures; an update needs `DifferentiablePolicy` or `ActionValues` as well."""

    def sample(self, batch: int, numbers: Numbers) -> list[Architecture]:
        """Return ``batch`` architectures; each decision is a function of the number of its position."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State, /) -> object: ...


@runtime_checkable
class DifferentiablePolicy(Protocol):
    """A policy whose log-probabilities have gradients: what REINFORCE and PPO train."""

    def parameters(self) -> Iterable[nn.Parameter]: ...

    def score(self, archs: Sequence[Architecture]) -> Samples:
        """Return log-probabilities and entropies of the given walks, with gradients."""


@runtime_checkable
class ActionValues(Protocol):
    """A policy that follows values of (state, option): what Q-learning updates."""

    def value(self, prefix: Sequence[int], option: int) -> float:
        """Return the value of an option after ``prefix``."""

    def best(self, prefix: Sequence[int]) -> float:
        """Return the highest value of the options that are open after ``prefix``; 0 where the walk ends."""

    def move(self, prefix: Sequence[int], option: int, target: float, rate: float) -> None:
        """Move the value of an option by ``rate`` of its distance to ``target``."""

    def count(self, walks: int) -> None:
        """Add to the number of walks learnt from, which exploration depends on."""


class VectorizedPolicy(Protocol):
    """Independent softmax policies of several replicas; tensors begin with the replicas."""

    sizes: Tensor  # (decisions,), options of each
    logits: nn.Parameter  # (replicas, decisions, options of the widest decision)

    def log_probabilities(self) -> Tensor:
        """Return log-probabilities in the shape of the logits; -inf where an option is missing."""

    def requires_grad_(self, requires_grad: bool = True) -> object: ...

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State, /) -> object: ...


MakePolicy = Callable[[Choices, int], Policy]
MakeVectorizedPolicy = Callable[[FixedChoices, Sequence[int]], VectorizedPolicy]
