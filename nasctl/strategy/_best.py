"""The best trial of a search: what most strategies derive."""

from __future__ import annotations

from nasctl.core import Architecture, State, Trial
from nasctl.errors import RunError


class BestTrial:
    """The successful trial of the highest reward; the first of several equal ones."""

    def __init__(self) -> None:
        self.arch: Architecture | None = None
        self.reward = float("-inf")
        self.failure = "none was told"

    def tell(self, trial: Trial) -> None:
        self.failure = trial.error or self.failure
        if trial.error is None and trial.reward > self.reward:
            self.arch, self.reward = trial.candidate.arch, trial.reward

    def derive(self) -> Architecture:
        """Return its architecture, or raise `RunError` if no trial has succeeded."""
        if self.arch is None:
            raise no_success(self.failure)
        return self.arch

    def state_dict(self) -> State:
        return {"arch": self.arch, "reward": self.reward, "failure": self.failure}

    def load_state_dict(self, state: State) -> None:
        self.arch, self.reward, self.failure = state["arch"], state["reward"], state["failure"]


def no_success(failure: str) -> RunError:
    """Return the error for a search without a successful trial; ``failure`` is the error of the last one."""
    return RunError(f"no trial has succeeded, so there is no architecture to derive; the last one: {failure}")
