"""Q-learning over the states of a walk (Baker et al. 2017, https://arxiv.org/abs/1611.02167, section 4)."""

from nasctl import walk
from nasctl.core import Candidate
from nasctl.strategy._black_box import BlackBox


class QTable(BlackBox):
    """Take the option of highest value, or with probability ``epsilon`` any; values move to the reward of the walk."""

    def __init__(self, space, feasible, seed, *, epsilon: float, rate: float) -> None:
        super().__init__(space, feasible, seed)
        self.epsilon, self.rate = epsilon, rate
        self.values: dict[str, float] = {}

    def ask(self):
        return Candidate(self.draw(lambda: walk.extend(self.space, (), self._take, walk.to_the_end)))

    def _take(self, prefix, open_):
        if walk.pick(range(1000), self.generator) < 1000 * self.epsilon:
            return walk.pick(open_, self.generator)
        return max(open_, key=lambda option: self._value(prefix, option))

    def _key(self, prefix, option):
        return repr((self.space.state(prefix), option))

    def _value(self, prefix, option):
        return self.values.get(self._key(prefix, option), 0.5)

    def tell(self, trial):
        super().tell(trial)
        arch = trial.candidate.arch
        for position, option in enumerate(arch):
            old = self._value(arch[:position], option)
            self.values[self._key(arch[:position], option)] = old + self.rate * (trial.reward - old)

    def state_dict(self):
        return super().state_dict() | {"values": self.values}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.values = dict(state["values"])
