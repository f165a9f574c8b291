"""The limits that end a search."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import PositiveFloat, PositiveInt


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What ends a search: candidates asked, passes of the shared weights over their data, turns, or work.

    A turn asks the strategy once; it may ask for nothing, as where a sample is infeasible. Work is in
    multiply-accumulates. Each limit ends the asking once it is reached, and what is pending then is waited
    for, so a search may overrun its work by as many trials as may be pending.
    """

    trials: PositiveInt | None
    epochs: PositiveFloat | None
    turns: PositiveInt | None = None
    work: PositiveInt | None = None

    def share(self, trials: int, epoch: float, turns: int = 0, work: int = 0) -> float:
        """Return the part of the budget that is spent; from 1 on it is used up."""
        spent = ((trials, self.trials), (epoch, self.epochs), (turns, self.turns), (work, self.work))
        return max(done / limit for done, limit in spent if limit is not None)
