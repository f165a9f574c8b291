"""NSGA-II's survival over error and two costs (Deb et al. 2002, https://doi.org/10.1109/4235.996017)."""

import math

from nasctl import walk
from nasctl.core import Candidate
from nasctl.strategy._black_box import BlackBox


class Nsga(BlackBox):
    """Mutate a random member of the population; the ``size`` best by rank and crowding survive."""

    resources = ("params", "macs")

    def __init__(self, space, feasible, seed, *, size: int) -> None:
        super().__init__(space, feasible, seed)
        self.size, self.members = size, []  # architecture and objectives, each to be minimised

    def ask(self):
        if len(self.members) < self.size:
            return self.sample()
        parent = tuple(walk.pick(self.members, self.generator)[0])
        return Candidate(self.first_feasible(lambda: walk.mutate(self.space, parent, self.generator)))

    def tell(self, trial):
        super().tell(trial)
        if trial.evaluation:
            objectives = [trial.evaluation.metrics["error"], *(trial.costs[name] for name in self.resources)]
            self.members = survivors([*self.members, [list(trial.candidate.arch), objectives]], self.size)

    def state_dict(self):
        return super().state_dict() | {"members": self.members}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.members = list(state["members"])


def survivors(members, size):
    """Return the ``size`` best members, front by front; of the last front the least crowded."""
    kept, rest = [], list(members)
    while rest and len(kept) < size:
        front = [m for m in rest if not any(dominates(other[1], m[1]) for other in rest)]
        rest = [m for m in rest if m not in front]
        kept += sorted(front, key=lambda m, front=front: -crowding(m, front))[: size - len(kept)]
    return kept


def dominates(a, b):
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


def crowding(member, front):  # the sum over objectives of the distance between a member's neighbours
    columns = [(sorted(other[1][i] for other in front), value) for i, value in enumerate(member[1])]
    return sum(gap(column, column.index(value)) for column, value in columns)


def gap(column, place):
    span = column[-1] - column[0] or 1
    return math.inf if place in (0, len(column) - 1) else (column[place + 1] - column[place - 1]) / span
