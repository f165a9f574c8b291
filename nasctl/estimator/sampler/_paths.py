"""What a sampler of paths is asked and answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from nasctl import walk
from nasctl.core import Architecture, Candidate, SearchSpace, State
from nasctl.seeds import position_seed

Path = tuple[Candidate, float]
"""What to run on the batch of a weight step, and the factor of its loss; the gradients of a step's paths add up."""


@dataclass(frozen=True)
class WeightStep:
    """A step of the shared weights: ``sample`` draws a candidate of the strategy, ``position`` counts the steps."""

    space: SearchSpace
    seed: int
    position: int
    sample: Callable[[], Candidate]

    def uniform(self) -> Architecture:
        """Return an architecture, uniform over the whole space, whatever a constraint forbids."""
        return walk.uniform(self.space, self.generator(self.position))

    def generator(self, *place: int | str) -> torch.Generator:
        """Return the random stream of a place, such as the position of the step."""
        return torch.Generator().manual_seed(position_seed(self.seed, "sampler", *place))


class PathSampler(Protocol):
    """Chooses the paths of each weight step; asked once for each, in order."""

    def check(self, space: SearchSpace) -> None:
        """Raise `RequestError` if paths of ``space`` cannot be sampled this way."""

    def paths(self, step: WeightStep) -> Sequence[Path]:
        """Return the paths of a weight step."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


class Stateless:
    """A sampler whose paths are a function of the step alone, in any space."""

    def check(self, space: SearchSpace) -> None:
        pass

    def state_dict(self) -> State:
        return {}

    def load_state_dict(self, state: State) -> None:
        pass
