"""Successive halving (Jamieson and Talwalkar 2016, https://arxiv.org/abs/1502.07943, figure 1)."""

from nasctl import walk
from nasctl.core import Candidate
from nasctl.errors import ExhaustedError
from nasctl.strategy._black_box import BlackBox

STATE = ("children", "fidelity", "asked", "told")


class Halving(BlackBox):
    """``children`` stop at ``fidelity``; of each rung the better half goes on to twice its epochs."""

    def __init__(self, space, feasible, seed, *, children: int, fidelity: float) -> None:
        super().__init__(space, feasible, seed)
        self.children, self.fidelity = children, fidelity
        self.asked: list[list] = []  # trials that this rung continues, with their architectures
        self.told: list[list] = []  # reward, trial and architecture of this rung

    def ask(self):
        if len(self.told) == self.children:
            self._promote()
        if not self.asked:
            return Candidate(
                self.first_feasible(lambda: walk.uniform(self.space, self.generator)), fidelity=self.fidelity
            )
        index, arch = self.asked[len(self.told)]
        return Candidate(tuple(arch), fidelity=self.fidelity, continues=index)

    def _promote(self):
        if self.fidelity == 1:
            raise ExhaustedError
        ranked = sorted(self.told, key=lambda told: (-told[0], told[1]))[: self.children // 2]
        self.asked, self.told = [[index, arch] for _, index, arch in ranked], []
        self.children, self.fidelity = len(self.asked), min(1.0, 2 * self.fidelity)

    def tell(self, trial):
        super().tell(trial)
        self.told.append([trial.reward, trial.index, list(trial.candidate.arch)])

    def needed_states(self):
        return [index for index, _ in self.asked[len(self.told) :]] + [index for _, index, _ in self.told]

    def state_dict(self):
        return super().state_dict() | {name: getattr(self, name) for name in STATE}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        for name in STATE:
            setattr(self, name, state[name])
