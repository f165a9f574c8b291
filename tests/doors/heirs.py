"""Random search whose children start from the weights of the best trial (after Elsken et al. 2018,
https://arxiv.org/abs/1711.04528)."""

from nasctl import walk
from nasctl.core import Candidate
from nasctl.strategy._black_box import BlackBox


class Heirs(BlackBox):
    """Each child but the first inherits from the best one."""

    def __init__(self, space, feasible, seed) -> None:
        super().__init__(space, feasible, seed)
        self.parent: list = []  # trial index and reward of the best

    def ask(self):
        arch = self.first_feasible(lambda: walk.uniform(self.space, self.generator))
        return Candidate(arch, inherits=self.parent[0] if self.parent else None)

    def tell(self, trial):
        super().tell(trial)
        if trial.reward is not None and (not self.parent or trial.reward > self.parent[1]):
            self.parent = [trial.index, trial.reward]

    def needed_states(self):
        return self.parent[:1]

    def state_dict(self):
        return super().state_dict() | {"parent": self.parent}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.parent = list(state["parent"])
