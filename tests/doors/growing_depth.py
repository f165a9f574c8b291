"""Random search whose depth in force grows: the strategy stops the walk, the space holds no counter."""

from nasctl import walk
from nasctl.core import Candidate
from nasctl.strategy._black_box import BlackBox


class GrowingDepth(BlackBox):
    """Stop at two layers for the first ``trials`` trials, then at three."""

    def __init__(self, space, feasible, seed, *, trials: int) -> None:
        super().__init__(space, feasible, seed)
        self.trials, self.told = trials, 0

    def ask(self):
        depth = 2 if self.told < self.trials else 3

        def stop(arch):
            return len(arch) >= depth

        return Candidate(self.first_feasible(lambda: walk.uniform(self.space, self.generator, stop)))

    def tell(self, trial):
        super().tell(trial)
        self.told += 1

    def state_dict(self):
        return super().state_dict() | {"told": self.told}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.told = state["told"]
