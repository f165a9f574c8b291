"""Candidates that were asked and are not told yet, with the results of them that have arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nasctl.core import Candidate, Evaluation, Executor, Result, State
from nasctl.errors import TrialError

OF_CANDIDATE = ("fidelity", "continues", "inherits", "compared")
OF_EVALUATION = ("metrics", "curve", "work", "facts")


class Pending:
    """Hands candidates to an executor and gives their results back, at most ``limit`` at a time.

    With ``ordered`` they come back by index, so that no executor changes a trial; without, as they arrive. A state
    holds no relaxed candidate: their loss never leaves the process, so none is pending between two trials.
    """

    def __init__(self, executor: Executor, *, limit: int, ordered: bool) -> None:
        self.executor, self.limit, self.ordered = executor, limit, ordered
        self.candidates: dict[int, Candidate] = {}  # by index, in the order asked
        self.results: dict[int, Result] = {}  # by index, in the order of arrival

    def __len__(self) -> int:
        return len(self.candidates)

    @property
    def full(self) -> bool:
        return len(self) >= self.limit

    def trials(self) -> set[int]:
        """Return the indexes of what is pending, and of the trials that it goes on from or inherits from."""
        parents = [index for one in self.candidates.values() for index in (one.continues, one.inherits)]
        return {*self.candidates, *(index for index in parents if index is not None)}

    def submit(self, index: int, candidate: Candidate) -> None:
        self.candidates[index] = candidate
        self.executor.submit(index, candidate)

    def next(self) -> tuple[int, Candidate, Result] | None:
        """Return the candidate to be told next, waiting for one result at most; None while an earlier one is out."""
        if (due := self._due()) is None:
            index, result = self.executor.finished()
            self.results[index] = result
            due = self._due()
        return None if due is None else (due, self.candidates.pop(due), self.results.pop(due))

    def _due(self) -> int | None:
        """Return the index of the result to be told next, if it has arrived."""
        first = next(iter(self.candidates if self.ordered else self.results), None)
        return first if first in self.results else None

    def state_dict(self) -> State:
        candidates = [[index, _plain_candidate(candidate)] for index, candidate in self.candidates.items()]
        return {"candidates": candidates, "results": [[i, _plain_result(result)] for i, result in self.results.items()]}

    def load_state_dict(self, state: State) -> None:
        """Submit again what had not come back."""
        self.results = {index: _result(plain) for index, plain in state["results"]}
        self.candidates = {index: _candidate(plain) for index, plain in state["candidates"]}
        for index, candidate in self.candidates.items():
            if index not in self.results:
                self.executor.submit(index, candidate)


def _plain_candidate(candidate: Candidate) -> dict[str, Any]:
    return {"arch": list(candidate.arch)} | {name: getattr(candidate, name) for name in OF_CANDIDATE}


def _candidate(plain: Mapping[str, Any]) -> Candidate:
    return Candidate(tuple(plain["arch"]), **{name: plain[name] for name in OF_CANDIDATE})


def _plain_result(result: Result) -> dict[str, Any]:
    if isinstance(result, TrialError):
        return {"error": str(result), "work": result.work}
    found = {"metrics": dict(result.metrics), "facts": dict(result.facts), "work": result.work}
    return found | {"curve": [dict(metrics) for metrics in result.curve]}


def _result(plain: Mapping[str, Any]) -> Result:
    if "error" in plain:
        return TrialError(plain["error"], plain["work"])
    return Evaluation(**{name: plain[name] for name in OF_EVALUATION})
