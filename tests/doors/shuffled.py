"""An executor whose results arrive in an order of its own, as those of several machines do."""

from nasctl.errors import Interrupted, TrialError


class Shuffled:
    """Of the candidates that wait it finishes first the one at the next place of ``order``."""

    stop_after = None  # results, after which a signal ends the process

    def __init__(self, context, *, order: list[int]) -> None:
        self.estimator, self.order, self.waiting, self.done = context.estimator, order, {}, 0

    def submit(self, index, candidate):
        assert index not in self.waiting
        self.waiting[index] = candidate

    def finished(self):
        if self.done == self.stop_after:
            raise Interrupted(15)
        place = self.order[self.done % len(self.order)] % len(self.waiting)
        index = list(self.waiting)[place]
        self.done += 1
        try:
            return index, self.estimator.evaluate(self.waiting.pop(index), index)
        except TrialError as error:
            return index, error
