"""Where candidates are evaluated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from nasctl.core.data import Candidate, Result
from nasctl.core.estimator import Estimator


class Executor(Protocol):
    """The processes or machines that evaluate candidates.

    It changes no result: what an evaluation needs is in the candidate, its index and the settings.
    """

    def submit(self, index: int, candidate: Candidate) -> None:
        """Take in the candidate of trial ``index``; does not wait for its evaluation."""

    def finished(self) -> tuple[int, Result]:
        """Wait for the next candidate that is done, and return its index and result."""


@dataclass(frozen=True)
class ExecutorContext:
    """What every executor works with: the search's own estimator, and a function that builds it in another process.

    ``build`` can be pickled; it needs neither the data set nor the space of this process.
    """

    estimator: Estimator
    build: Callable[[], Estimator]
