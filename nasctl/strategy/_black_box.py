"""What strategies share that learn from rewards alone: a random stream, feasible walks, the best trial."""

from __future__ import annotations

from collections.abc import Callable

import torch

from nasctl import walk
from nasctl.core import Architecture, Candidate, Choices, Feasible, State, Trial
from nasctl.errors import RunError
from nasctl.seeds import position_seed


class BlackBox:
    """Keeps the best trial of the highest fidelity at which one has succeeded; ``derive`` returns it."""

    relaxed = False
    resources: tuple[str, ...] = ()

    def __init__(self, space: Choices, feasible: Feasible, seed: int) -> None:
        self.space, self.feasible = space, feasible
        self.generator = torch.Generator().manual_seed(position_seed(seed, "strategy"))
        self.best: Architecture | None = None
        self.best_reward = float("-inf")
        self.best_fidelity = 0.0
        self.failure = "none was told"

    def sample(self) -> Candidate:
        return Candidate(self.draw(lambda: walk.uniform(self.space, self.generator)))

    def draw(self, propose: Callable[[], Architecture]) -> Architecture:
        """Return the first feasible proposal, or raise `RequestError` after ``feasible.tries`` of them."""
        refused: list[Architecture] = []
        while len(refused) < self.feasible.tries:
            arch = propose()
            if self.feasible(arch):
                return arch
            refused.append(arch)
        raise self.feasible.refusal(refused)

    def tell(self, trial: Trial) -> None:
        self.failure = trial.error or self.failure
        if trial.reward is not None and trial.reward > float("-inf"):
            rank = (trial.candidate.fidelity or 1.0, trial.reward)
            if rank > (self.best_fidelity, self.best_reward):
                self.best, (self.best_fidelity, self.best_reward) = trial.candidate.arch, rank

    def derive(self) -> Architecture:
        if self.best is None:
            raise RunError(
                f"no trial has succeeded, so there is no architecture to derive; the last one: {self.failure}"
            )
        return self.best

    def state_dict(self) -> State:
        best = None if self.best is None else list(self.best)
        found = {"best": best, "best_reward": self.best_reward, "failure": self.failure}
        found["best_fidelity"] = self.best_fidelity
        return {"generator": self.generator.get_state(), **found}

    def load_state_dict(self, state: State) -> None:
        self.generator.set_state(state["generator"])
        self.best = None if state["best"] is None else tuple(state["best"])
        self.best_reward, self.failure = state["best_reward"], state["failure"]
        self.best_fidelity = state["best_fidelity"]


class Remembering(BlackBox):
    """Keeps every trial that succeeded, in the order told, for a model that is built from them."""

    def __init__(self, space: Choices, feasible: Feasible, seed: int) -> None:
        super().__init__(space, feasible, seed)
        self.trials: list[tuple[Architecture, float]] = []

    def tell(self, trial: Trial) -> None:
        super().tell(trial)
        if trial.reward is not None:
            self.trials.append((trial.candidate.arch, trial.reward))

    def state_dict(self) -> State:
        return super().state_dict() | {"trials": [[list(arch), reward] for arch, reward in self.trials]}

    def load_state_dict(self, state: State) -> None:
        super().load_state_dict(state)
        self.trials = [(tuple(arch), reward) for arch, reward in state["trials"]]
