"""Base of strategies that learn from rewards alone: a random stream, feasible samples, the best trial."""

from __future__ import annotations

from collections.abc import Callable

import torch

from nasctl import walk
from nasctl.core import Architecture, Candidate, Choices, Feasible, State, Trial
from nasctl.seeds import position_seed
from nasctl.strategy._best import BestTrial
from nasctl.strategy._proposals import first_feasible


class BlackBox:
    """Keeps the best trial of the highest fidelity at which one has succeeded; ``derive`` returns it."""

    relaxed = False
    resources: tuple[str, ...] = ()

    def __init__(self, space: Choices, feasible: Feasible, seed: int) -> None:
        self.space, self.feasible = space, feasible
        self.generator = torch.Generator().manual_seed(position_seed(seed, "strategy"))
        self.best = BestTrial()

    def sample(self) -> Candidate:
        return Candidate(self.first_feasible(lambda: walk.uniform(self.space, self.generator)))

    def first_feasible(self, propose: Callable[[], Architecture]) -> Architecture:
        """Return the first feasible proposal, or raise `RequestError` after ``feasible.tries`` of them."""
        return first_feasible(self.feasible, propose)

    def tell(self, trial: Trial) -> None:
        self.best.tell(trial)

    def derive(self) -> Architecture:
        return self.best.derive()

    def state_dict(self) -> State:
        return {"generator": self.generator.get_state(), "best": self.best.state_dict()}

    def load_state_dict(self, state: State) -> None:
        self.generator.set_state(state["generator"])
        self.best.load_state_dict(state["best"])


class Remembering(BlackBox):
    """Keeps the architecture and the reward of every successful trial, in order, for a model or a population."""

    def __init__(self, space: Choices, feasible: Feasible, seed: int) -> None:
        super().__init__(space, feasible, seed)
        self.trials: list[tuple[Architecture, float]] = []

    def tell(self, trial: Trial) -> None:
        super().tell(trial)
        if trial.reward is not None:
            self.trials.append((trial.candidate.arch, trial.reward))

    def state_dict(self) -> State:
        return super().state_dict() | {"trials": list(self.trials)}

    def load_state_dict(self, state: State) -> None:
        super().load_state_dict(state)
        self.trials = list(state["trials"])
