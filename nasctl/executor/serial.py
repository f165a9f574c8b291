"""Evaluation in this process, one candidate after the other."""

from __future__ import annotations

from collections import deque

from nasctl.core import Candidate, ExecutorContext, Result
from nasctl.errors import TrialError


class Serial:
    """Evaluates candidates in the order submitted, each when its result is asked for."""

    def __init__(self, context: ExecutorContext) -> None:
        self.estimator = context.estimator
        self.waiting: deque[tuple[int, Candidate]] = deque()

    def submit(self, index: int, candidate: Candidate) -> None:
        self.waiting.append((index, candidate))

    def finished(self) -> tuple[int, Result]:
        index, candidate = self.waiting.popleft()
        try:
            return index, self.estimator.evaluate(candidate, index)
        except TrialError as error:
            return index, error
