"""Q-learning of a table of values, with experience replay.

Watkins and Dayan 1992, https://doi.org/10.1007/BF00992698; Baker et al. 2017 (MetaQNN),
https://arxiv.org/abs/1611.02167, section 4 and algorithm 1, update the decisions of a walk from the last to the first
and replay walks of the memory after each trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field, NonNegativeInt

from nasctl import walk
from nasctl.core import Architecture, State
from nasctl.errors import RequestError
from nasctl.seeds import position_seed
from nasctl.strategy.policy import ActionValues, Policy
from nasctl.strategy.update.shaping import Shaping

Share = Annotated[float, Field(ge=0, le=1)]


class QLearning:
    """Move each value by ``rate`` towards its step's reward plus ``discount`` times the best value that follows.

    After a batch, ``replays`` walks of all trials so far are learnt from again, sampled with replacement.
    """

    def __init__(
        self, policy: Policy, seed: int, *, rate: Share, discount: Share, replays: NonNegativeInt, shaping: Shaping
    ) -> None:
        if not isinstance(policy, ActionValues):
            raise RequestError(
                "strategy: Q-learning updates values of options, which this policy does not have; "
                "choose strategy/policy=q_table or strategy/update=reinforce"
            )
        self.policy, self.seed = policy, seed
        self.rate, self.discount, self.replays, self.shaping = rate, discount, replays, shaping
        self.memory: list[tuple[Architecture, float]] = []  # kept only where it is replayed
        self.updates = 0

    def learn(self, archs: Sequence[Architecture], rewards: Sequence[float]) -> None:
        batch = list(zip(archs, rewards, strict=True))
        self.memory += batch if self.replays else []
        for arch, reward in [*batch, *self._replayed()]:
            self._learn(arch, reward)
        self.policy.count(len(batch))
        self.updates += 1

    def _replayed(self) -> list[tuple[Architecture, float]]:
        """Return walks of the memory: a function of seed and update."""
        if not self.replays:
            return []
        generator = torch.Generator().manual_seed(position_seed(self.seed, "replay", self.updates))
        return walk.picks(self.memory, self.replays, generator)

    def _learn(self, arch: Architecture, reward: float) -> None:
        rewards = self.shaping.rewards(len(arch), reward)
        for position in reversed(range(len(arch))):
            following = self.policy.best(arch[: position + 1]) if position + 1 < len(arch) else 0.0
            target = rewards[position] + self.discount * following
            self.policy.move(arch[:position], arch[position], target, self.rate)

    def state_dict(self) -> State:
        return {"seed": self.seed, "memory": list(self.memory), "updates": self.updates}

    def load_state_dict(self, state: State) -> None:
        self.seed, self.memory, self.updates = state["seed"], list(state["memory"]), state["updates"]
