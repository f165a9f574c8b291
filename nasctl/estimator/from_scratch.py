"""Train every candidate from scratch, shortened: fewer epochs, images, channels or cells.

Zoph and Le 2017, https://arxiv.org/abs/1611.01578, section 4.1; the shortcuts are the usual ones of
the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from pydantic import PositiveInt

from nasctl.core import (
    Architecture,
    Candidate,
    Dataset,
    Evaluation,
    Pulse,
    SearchSpace,
    State,
    Trainer,
    position_seed,
)


class FromScratch:
    """Builds the candidate in ``form`` resized by ``size``, trains it, and scores it on the validation half.

    It trains for ``epochs`` on the training half; a candidate's own fidelity shortens that further.
    """

    takes_relaxed = False
    tabular = False
    error_kind = "short training"
    epoch = 0.0

    def __init__(
        self,
        space: SearchSpace,
        dataset: Dataset,
        device: torch.device,
        seed: int,
        pulse: Pulse,
        *,
        trainer: Trainer,
        epochs: PositiveInt,
        form: Literal["search", "final"],
        size: dict[str, PositiveInt],
    ) -> None:
        self.space, self.dataset, self.device, self.seed, self.pulse = space, dataset, device, seed, pulse
        self.trainer, self.epochs, self.form, self.size = trainer, epochs, form, size
        self.evaluated = 0

    def fit(self, sample: Callable[[], Candidate]) -> None:
        pass

    def evaluate(self, candidate: Candidate) -> Evaluation:
        seed = position_seed(self.seed, "candidate", self.evaluated)
        torch.manual_seed(seed)
        net = self.space.build(self.space.genotype(candidate.arch), self.form, **self.size).to(self.device)
        try:
            self.trainer.fit(
                net,
                self.dataset,
                self.dataset.train(),
                seed=seed,
                epochs=max(1, round(self.epochs * (candidate.fidelity or 1.0))),
                tick=self._tick,
                record=lambda line: None,
                state=None,
            )
            return Evaluation(self.trainer.evaluate(net, self.dataset, self.dataset.val()))
        finally:
            self.evaluated += 1

    def _tick(self, state: Callable[[], State], values: Mapping[str, Any]) -> None:
        self.pulse({**values, "phase": f"candidate {self.evaluated}", "share": None})

    def covers(self, arch: Architecture) -> bool:
        return True

    def fingerprint(self) -> Mapping[str, str]:
        return self.dataset.fingerprint()

    def facts(self) -> Mapping[str, Any]:
        return {}

    def state_dict(self) -> State:
        return {"evaluated": self.evaluated}

    def load_state_dict(self, state: State) -> None:
        self.evaluated = state["evaluated"]
