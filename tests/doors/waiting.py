"""A strategy that asks once and then waits for ever."""

from nasctl.strategy._black_box import BlackBox


class Waiting(BlackBox):
    def ask(self):
        return self.sample() if self.best is None else None
