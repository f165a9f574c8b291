"""The best trial of a search: what most strategies derive."""

from __future__ import annotations

from nasctl.core import Architecture, State, Trial
from nasctl.errors import RunError


class BestTrial:
    """The best trial of the highest fidelity at which one has succeeded; the first of several equal ones."""

    def __init__(self) -> None:
        self.arch: Architecture | None = None
        self.fidelity, self.reward = 0.0, float("-inf")
        self.failure = "none was told"

    def tell(self, trial: Trial) -> None:
        self.failure = trial.error or self.failure
        if trial.reward is not None and trial.reward > float("-inf"):
            rank = (trial.candidate.fidelity or 1.0, trial.reward)
            if rank > (self.fidelity, self.reward):
                self.arch, (self.fidelity, self.reward) = trial.candidate.arch, rank

    def derive(self) -> Architecture:
        """Return its architecture, or raise `RunError` if no trial has succeeded."""
        if self.arch is None:
            raise no_success(self.failure)
        return self.arch

    def state_dict(self) -> State:
        rank = {"fidelity": self.fidelity, "reward": self.reward}
        return {"arch": self.arch, "failure": self.failure} | rank

    def load_state_dict(self, state: State) -> None:
        self.arch, self.failure = state["arch"], state["failure"]
        self.fidelity, self.reward = state["fidelity"], state["reward"]


def no_success(failure: str) -> RunError:
    """Return the error for a search without a successful trial; ``failure`` is the error of the last one."""
    return RunError(f"no trial has succeeded, so there is no architecture to derive; the last one: {failure}")
