"""Final selection of a policy search: which trials it derives from, and when the policy stops learning for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from nasctl.core import Architecture, State, Trial


class FinalSelection(Protocol):
    """Is made from the number of trials of the search; None where it is not known."""

    def tell(self, trial: Trial) -> None:
        """Record a trial."""

    def learns(self, told: int) -> bool:
        """Return whether the policy still learns after ``told`` trials."""

    def compares(self, told: int) -> bool:
        """Return whether the trial after ``told`` others is scored on the same data as those it competes with."""

    def candidates(self, told: int) -> int:
        """Return how many of ``told`` trials the architecture is chosen from."""

    def derive(self) -> Architecture:
        """Return the architecture chosen so far, or raise `RunError` if there is none."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


MakeFinalSelection = Callable[[int | None], FinalSelection]
