"""What estimators share that read neither data nor table: a quality is a formula of the architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from nasctl.core import Architecture, Candidate, Dataset, Evaluation, Pulse, SearchSpace, State


class Declared:
    """Evaluates by ``accuracy(arch)``, a pure function of the architecture; nothing is trained or read."""

    takes_relaxed = False
    tabular = True
    error_kind = "declared"
    epoch = 0.0
    work = 0

    def __init__(self, space: SearchSpace, dataset: Dataset, device: torch.device, seed: int, pulse: Pulse) -> None:
        self.space = space

    def accuracy(self, arch: Architecture) -> float:
        raise NotImplementedError

    def fit(self, sample: Callable[[], Candidate]) -> None:
        pass

    def evaluate(self, candidate: Candidate) -> Evaluation:
        accuracy = self.accuracy(candidate.arch)
        return Evaluation({"loss": 1 - accuracy, "accuracy": accuracy, "error": 100 * (1 - accuracy)})

    def covers(self, arch: Architecture) -> bool:
        return True

    def fingerprint(self) -> Mapping[str, str]:
        return {}

    def facts(self) -> Mapping[str, Any]:
        return {}

    def state_dict(self) -> State:
        return {}

    def load_state_dict(self, state: State) -> None:
        pass
