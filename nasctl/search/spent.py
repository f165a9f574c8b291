"""What a search has used up of its budget."""

from __future__ import annotations

from nasctl.core import Result, State, WeightSharing
from nasctl.errors import RequestError, TrialError
from nasctl.search.budget import Budget

COUNTED = ("asked", "trials", "turns", "evaluated")


class Spent:
    """Candidates asked and told, turns, and the work and facts of evaluations, added up.

    The training of shared weights counts its own passes and work.
    """

    def __init__(self, budget: Budget, sharing: WeightSharing | None) -> None:
        self.budget, self.sharing = budget, sharing
        self.asked = self.trials = self.turns = 0  # candidates asked, candidates told, turns
        self.evaluated = 0  # multiply-accumulates of the evaluations
        self.facts: dict[str, float] = {}  # of the evaluations

    @property
    def epoch(self) -> float:
        """The passes of shared weights over their training data so far."""
        return 0.0 if self.sharing is None else self.sharing.spent()[0]

    @property
    def work(self) -> int:
        """The multiply-accumulates so far: of all evaluations and of the training of shared weights."""
        return self.evaluated + (0 if self.sharing is None else self.sharing.spent()[1])

    def share(self, trials: int) -> float:
        """Return the part of the budget that is spent with so many trials, or raise `RequestError` if none ever is."""
        budget = self.budget
        if self.trials and not self.work and budget.trials is budget.epochs is budget.turns is None:
            raise RequestError("budget.work: this estimator trains and runs no network; set budget.trials instead")
        return budget.share(trials, self.epoch, self.turns, self.work)

    def add(self, result: Result) -> None:
        """Add the work of a result, and the facts of one that did not fail."""
        self.evaluated += result.work
        if not isinstance(result, TrialError):
            for name, value in result.facts.items():
                self.facts[name] = self.facts.get(name, 0) + value

    def state_dict(self) -> State:
        return {name: getattr(self, name) for name in COUNTED} | {"facts": dict(self.facts)}

    def load_state_dict(self, state: State) -> None:
        self.asked, self.trials, self.turns, self.evaluated = (state[name] for name in COUNTED)
        self.facts = dict(state["facts"])
