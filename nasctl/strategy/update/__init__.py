"""Updates: how a policy learns from the rewards of a batch of trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol

from pydantic import Field
from torch import Tensor

from nasctl.core import Architecture, State
from nasctl.strategy.feasibility import Feasibility
from nasctl.strategy.policy import Policy, VectorizedPolicy

Beta = Annotated[float, Field(ge=0, lt=1)]


class Update(Protocol):
    """Is made from the policy and the seed."""

    def learn(self, archs: Sequence[Architecture], rewards: Sequence[float]) -> None:
        """Move the policy by the rewards of successful trials, of which there is one at least."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


class VectorizedUpdate(Protocol):
    """Is made from the policies, the feasibility of their samples, and their seeds."""

    told: Tensor  # (replicas,), trials learnt from

    def open_stream(self, seeds: Sequence[int]) -> None:
        """Begin the random numbers of the seeds."""

    def ascend(self, archs: Tensor, rewards: Tensor, told: Tensor, rate: Tensor) -> None:
        """Move the policies by the rewards of ``archs (replicas, decisions)`` where ``told (replicas,)`` is true."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


MakeUpdate = Callable[[Policy, int], Update]
MakeVectorizedUpdate = Callable[[VectorizedPolicy, Feasibility, Sequence[int]], VectorizedUpdate]
