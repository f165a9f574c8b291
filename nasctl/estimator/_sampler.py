"""Whose paths a weight step trains: the strategy's own samples, or uniform ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch

from nasctl import walk
from nasctl.core import Candidate, SearchSpace, State
from nasctl.seeds import position_seed

Path = tuple[Candidate, float]
"""What to run on the batch of a weight step, and the factor of its loss; the gradients of a step's paths add up."""


class Sampler(Protocol):
    """Chooses the paths of each weight step; asked once for each, in order."""

    def paths(self, sample: Callable[[], Candidate], position: int) -> Sequence[Path]:
        """Return the paths of the weight step at ``position``; ``sample`` draws one of the strategy's."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


class Stateless:
    """A sampler whose paths are a function of the position alone."""

    def state_dict(self) -> State:
        return {}

    def load_state_dict(self, state: State) -> None:
        pass


class OfStrategy(Stateless):
    """One sample of the strategy: ENAS, TuNAS, DARTS."""

    def paths(self, sample: Callable[[], Candidate], position: int) -> Sequence[Path]:
        return [(sample(), 1.0)]


class Uniform(Stateless):
    """One path, uniform over the whole space, whatever a constraint forbids.

    Guo et al. 2020, https://arxiv.org/abs/1904.00420, section 3.2; Li and Talwalkar 2019,
    https://arxiv.org/abs/1902.07638, section 3.2.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self.space, self.seed = space, seed

    def paths(self, sample: Callable[[], Candidate], position: int) -> Sequence[Path]:
        return [(Candidate(walk.uniform(self.space, generator(self.seed, position))), 1.0)]


def generator(seed: int, *place: int | str) -> torch.Generator:
    """Return the random stream of a place, such as the position of a weight step."""
    return torch.Generator().manual_seed(position_seed(seed, "sampler", *place))
