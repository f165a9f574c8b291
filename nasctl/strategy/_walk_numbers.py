"""Random numbers of batches of walks: a function of seed, batch, walk and step."""

from __future__ import annotations

import torch

from nasctl.core import Architecture, Choices, FixedChoices
from nasctl.strategy._uniforms import Uniforms
from nasctl.strategy.policy import Numbers, Policy
from nasctl.walk import MAX_DECISIONS

AT_ONCE = 32  # walks that are sampled together for the training of shared weights


class WalkNumbers:
    """The numbers of batches of ``size`` walks; of a fixed space those of a whole walk are generated at once."""

    def __init__(self, space: Choices, seed: int, name: str, size: int) -> None:
        self.fixed = isinstance(space, FixedChoices)
        columns = [len(space.decisions)] if isinstance(space, FixedChoices) else []
        self.stream = Uniforms([seed], name, (size, *columns), torch.float64)

    def of(self, batch: int) -> Numbers:
        """Return the numbers of a batch."""
        seed = torch.zeros(1, dtype=torch.long)  # the only one of the stream
        if self.fixed:
            whole = self.stream.at(seed, torch.tensor([batch]))[0]
            return lambda group: whole[:, group.start : group.stop]
        return lambda group: torch.stack(
            [self.stream.at(seed, torch.tensor([batch * MAX_DECISIONS + step]))[0] for step in group], 1
        )


class SampledAhead:
    """Samples of a policy, one by one, sampled a block ahead and again after each update of the policy."""

    def __init__(self, policy: Policy, space: Choices, seed: int) -> None:
        self.policy, self.numbers = policy, WalkNumbers(space, seed, "sample", AT_ONCE)
        self.block, self.updates = -1, -1
        self.archs: list[Architecture] = []

    def at(self, position: int, updates: int) -> Architecture:
        """Return the sample at a position of the stream, of the policy after so many updates."""
        block, place = divmod(position, AT_ONCE)
        if (self.block, self.updates) != (block, updates):
            self.archs = self.policy.sample(AT_ONCE, self.numbers.of(block))
            self.block, self.updates = block, updates
        return self.archs[place]
