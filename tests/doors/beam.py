"""A beam search that evaluates every network of one level, waits for all, and extends the best of them."""

from nasctl import walk
from nasctl.core import Candidate
from nasctl.errors import ExhaustedError
from nasctl.strategy._black_box import BlackBox


class Beam(BlackBox):
    """Extend the ``width`` best networks of a level by each option, down to ``deepest`` decisions."""

    def __init__(self, space, feasible, seed, *, width: int, deepest: int) -> None:
        super().__init__(space, feasible, seed)
        self.width, self.deepest = width, deepest
        self.queue = self._extended([()])
        self.awaited, self.level = 0, []  # the level's trials: architecture and reward

    def _extended(self, parents):
        return [[*arch, option] for arch in parents for option in walk.options(self.space, arch)]

    def ask(self):
        if not self.queue and self.awaited:
            return None
        if not self.queue:
            best = sorted(self.level, key=lambda trial: -trial[1])[: self.width]
            if len(best[0][0]) == self.deepest:
                raise ExhaustedError
            self.queue, self.level = self._extended(arch for arch, _ in best), []
        self.awaited += 1
        return Candidate(tuple(self.queue.pop(0)))

    def tell(self, trial):
        super().tell(trial)
        self.awaited -= 1
        if trial.reward is not None:
            self.level.append((list(trial.candidate.arch), trial.reward))

    def state_dict(self):
        return super().state_dict() | {name: getattr(self, name) for name in ("queue", "awaited", "level")}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.queue, self.awaited, self.level = (list(state["queue"]), state["awaited"], list(state["level"]))
