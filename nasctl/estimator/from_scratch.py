"""Train every candidate from scratch, shortened: fewer epochs, images, channels or cells.

Zoph and Le 2017, https://arxiv.org/abs/1611.01578, section 4.1; the shortcuts are the usual ones of
the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from pydantic import PositiveInt
from torch import nn

from nasctl.core import Candidate, Dataset, Evaluation, ProgressCallback, State, TrainableSpace, Trainer
from nasctl.estimator._independent import IndependentEstimator
from nasctl.estimator._work import PASS
from nasctl.out_of_memory import of_one_candidate
from nasctl.seeds import position_seed


class FromScratch(IndependentEstimator):
    """Builds the candidate in ``form`` resized by ``size``, trains it, and scores it on the validation half.

    It trains for ``epochs`` on the training half; a candidate's own fidelity shortens that further. Its work is
    that of its epochs, with the one in which it diverged if it did, and of the validation.
    """

    error_kind = "short training"

    def __init__(
        self,
        space: TrainableSpace,
        dataset: Dataset,
        device: torch.device,
        seed: int,
        pulse: ProgressCallback,
        *,
        trainer: Trainer,
        epochs: PositiveInt,
        form: Literal["search", "final"],
        size: dict[str, PositiveInt],
    ) -> None:
        self.space, self.dataset, self.device, self.seed, self.pulse = space, dataset, device, seed, pulse
        self.trainer, self.epochs, self.form, self.size = trainer, epochs, form, size
        self.evaluated, self.work = 0, 0

    def evaluate(self, candidate: Candidate) -> Evaluation:
        try:
            with of_one_candidate():
                return self._trained(candidate)
        finally:
            self.evaluated += 1

    def _trained(self, candidate: Candidate) -> Evaluation:
        seed = position_seed(self.seed, "candidate", self.evaluated)
        torch.manual_seed(seed)
        net = self.space.build(self.space.genotype(candidate.arch), self.form, **self.size)
        epochs = max(1, round(self.epochs * (candidate.fidelity or 1.0)))
        lines: list[Mapping[str, Any]] = []  # one an epoch
        try:
            self.trainer.fit(
                net.to(self.device),
                self.dataset,
                self.dataset.train(),
                seed=seed,
                epochs=epochs,
                tick=self._tick,
                record=lines.append,
                state=None,
            )
            return Evaluation(self.trainer.evaluate(net, self.dataset, self.dataset.val()))
        finally:
            self._count(net, len(lines), epochs)

    def _count(self, net: nn.Module, ended: int, epochs: int) -> None:
        """Add the work of a network that is done with: it moves to the meta device to be counted."""
        trained = min(ended + 1, epochs) * len(self.dataset.train())  # with the epoch that diverged
        validated = len(self.dataset.val()) if ended == epochs else 0
        self.work += int(self.space.count(net.to("meta"))["macs"]) * (PASS * trained + validated)

    def _tick(self, state: Callable[[], State], values: Mapping[str, Any]) -> None:
        self.pulse({**values, "phase": f"candidate {self.evaluated}", "share": None, "trial_share": values["share"]})

    @classmethod
    def reads(cls, settings: Mapping[str, Any], dataset: Dataset) -> Mapping[str, str]:
        return dataset.fingerprint()

    def fingerprint(self) -> Mapping[str, str]:
        return self.dataset.fingerprint()

    def state_dict(self) -> State:
        return {"evaluated": self.evaluated, "work": self.work}

    def load_state_dict(self, state: State) -> None:
        self.evaluated, self.work = state["evaluated"], state["work"]
