"""A strategy that asks three times and then waits for ever."""

from nasctl.strategy._black_box import BlackBox


class Waiting(BlackBox):
    asked = 0

    def ask(self):
        self.asked += 1
        return self.sample() if self.asked <= 3 else None
