"""How a space is explored."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from nasctl.core.data import Architecture, Candidate, Chain, Skipped, State, Trial
from nasctl.errors import RequestError


class Strategy(Protocol):
    """How a space is explored; knows decisions, and neither data, network nor device."""

    relaxed: bool  # asks with weights and learns from the gradient of the loss
    resources: tuple[str, ...]  # costs of the final form that it reads in a trial's ``costs``

    def sample(self) -> Candidate:
        """Return a candidate to train shared weights on; touches only the random stream."""

    def ask(self) -> Candidate | Skipped | None:
        """Return the next candidate to evaluate; the k-th candidate returned comes back to ``tell`` as trial k.

        `SKIPPED` where this turn asks for nothing, as where a sample is infeasible. None to wait until more is told,
        which takes no turn and leaves the strategy as it is. `ExhaustedError` where no candidate is left.
        """

    def tell(self, trial: Trial) -> None:
        """Learn from a trial."""

    def derive(self) -> Architecture:
        """Return the architecture found so far; pure."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


@runtime_checkable
class Reporting(Protocol):
    """A strategy that has more to say in result.json than its architecture."""

    def facts(self) -> Mapping[str, Any]:
        """Return what result.json says of the strategy at the end of a search."""


@runtime_checkable
class UsesChildren(Protocol):
    """A strategy that continues the training of earlier trials, or lets children inherit their weights."""

    def needed_states(self) -> Collection[int]:
        """Return the trials whose states a candidate to come may name; a trial that failed has none."""


class Feasible(Protocol):
    """A constraint as strategies see it: on architectures, of which the estimator may cover a part."""

    tries: int
    partial: bool  # whether there are architectures that the estimator does not cover

    def covers(self, arch: Architecture) -> bool: ...

    def __call__(self, arch: Architecture) -> bool: ...

    def refusal(self, refused: Sequence[Architecture]) -> RequestError: ...

    def chain(self) -> Chain | None: ...

    def relaxed(self) -> Sequence[Chain] | None: ...
