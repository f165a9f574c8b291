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

from nasctl.core import Candidate, Dataset, EstimatorContext, Evaluation, Metrics, State, Trainer, TrainingSession
from nasctl.errors import TrialError
from nasctl.estimator._independent import IndependentEstimator
from nasctl.estimator._work import PASS
from nasctl.out_of_memory import of_one_candidate
from nasctl.seeds import position_seed


class FromScratch(IndependentEstimator):
    """Builds the candidate in ``form`` resized by ``size``, trains it, and scores it on the validation half.

    It trains for ``epochs`` on the training half; a candidate's own fidelity shortens that further. Its work is
    that of its epochs, with the one in which it diverged if it did, and of the validation. Random numbers are a
    function of the search's seed and the trial's index.
    """

    error_kind = "short training"

    def __init__(
        self,
        context: EstimatorContext,
        *,
        trainer: Trainer,
        epochs: PositiveInt,
        form: Literal["search", "final"],
        size: dict[str, PositiveInt],
    ) -> None:
        self.space, self.dataset, self.device = context.space, context.data, context.device
        self.seed, self.report = context.seed, context.report
        self.trainer, self.epochs, self.form, self.size = trainer, epochs, form, size

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        with of_one_candidate():
            torch.manual_seed(position_seed(self.seed, "candidate", index))
            net = self.space.build(self.space.genotype(candidate.arch), self.form, **self.size)
        epochs = max(1, round(self.epochs * (candidate.fidelity or 1.0)))
        lines: list[Mapping[str, Any]] = []  # one an epoch
        try:
            with of_one_candidate():
                metrics = self._trained(net, index, epochs, lines.append)
        except TrialError as error:
            raise TrialError(str(error), self._work(net, len(lines), epochs)) from error
        return Evaluation(metrics, work=self._work(net, len(lines), epochs))

    def _trained(self, net: nn.Module, index: int, epochs: int, record: Callable[[Mapping[str, Any]], None]) -> Metrics:
        """Return the validation metrics of ``net`` after its training."""

        def on_step(state: Callable[[], State], values: Mapping[str, Any]) -> None:
            self.report({**values, "phase": f"candidate {index}", "share": None, "trial_share": values["share"]})

        seed = position_seed(self.seed, "candidate", index)
        session = TrainingSession(
            seed=seed, schedule_epochs=self.epochs, stop_epoch=epochs, on_step=on_step, record=record
        )
        self.trainer.fit(net.to(self.device), self.dataset, self.dataset.train(), session)
        return self.trainer.evaluate(net, self.dataset, self.dataset.val())

    def _work(self, net: nn.Module, ended: int, epochs: int) -> int:
        """Return the work of a network that is no longer needed: it moves to the meta device to be counted."""
        trained = min(ended + 1, epochs) * len(self.dataset.train())  # with the epoch that diverged
        validated = len(self.dataset.val()) if ended == epochs else 0
        return int(self.space.count(net.to("meta"))["macs"]) * (PASS * trained + validated)

    @classmethod
    def reads(cls, settings: Mapping[str, Any], dataset: Dataset) -> Mapping[str, str]:
        return dataset.fingerprint()

    def fingerprint(self) -> Mapping[str, str]:
        return self.dataset.fingerprint()
