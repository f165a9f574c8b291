"""Estimates without training: what an untrained network costs, or how it answers one minibatch.

Mellor et al. 2021, https://arxiv.org/abs/2006.04647; Abdelfattah et al. 2021, https://arxiv.org/abs/2101.08134.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from nasctl import task_kinds
from nasctl.core import Architecture, Candidate, Evaluation, TrainableContext
from nasctl.errors import TrialError
from nasctl.estimator._independent import IndependentEstimator
from nasctl.estimator._work import Counter
from nasctl.estimator.score._untrained import Score, Untrained
from nasctl.out_of_memory import of_one_candidate
from nasctl.seeds import position_seed


class ZeroCost(IndependentEstimator):
    """Scores the network of the form ``search``, resized by ``size``, at its initialisation: higher is better.

    Random numbers are a function of the search's seed alone: every candidate starts from the same random state and
    sees the same training batch, so a score is a function of the architecture and the seed. The metric is ``score``;
    there is no error. A score that is no finite number fails the trial.
    """

    error_kind = "zero-cost"

    def __init__(
        self,
        context: TrainableContext,
        *,
        score: Score,
        batch_size: Annotated[int, Field(ge=2)],
        size: dict[str, PositiveInt],
    ) -> None:
        if score.tasks is not None:
            task_kinds.check(
                context.data.task,
                score.tasks,
                f"estimator/score={score.name} scores no networks of other data",
                ", or estimator/score=params or macs, or estimator=from_scratch",
            )
        self.space, self.dataset, self.device, self.seed = context.space, context.data, context.device, context.seed
        self.score, self.batch_size, self.size = score, batch_size, size

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        with of_one_candidate(), Counter() as counter:
            score = float(self.score.score(self._untrained(candidate.arch, counter)))
        if not math.isfinite(score):
            told = f"estimator/score={self.score.name} is {score}; choose another score, batch_size or size"
            raise TrialError(told, counter.macs)
        return Evaluation({"score": score}, work=counter.macs)

    def _untrained(self, arch: Architecture, counter: Counter) -> Untrained:
        def network() -> nn.Module:
            torch.manual_seed(position_seed(self.seed, "zero-cost"))
            return self.space.build(self.space.genotype(arch), "search", **self.size).to(self.device)

        def cost(resource: str) -> float:
            with counter.paused(), torch.device("meta"):
                made = self.space.build(self.space.genotype(arch), "search", **self.size)
                return self.space.count(made)[resource]

        return Untrained(self.dataset.task, self.device, network, cost, lambda: self._batch, self.dataset.loss)

    @cached_property
    def _batch(self) -> tuple[Tensor, Tensor]:
        return self.dataset.train().batch(self.batch_size, 0, 0)

    def fingerprint(self) -> Mapping[str, str]:
        return self.dataset.fingerprint() if self.score.reads_data else {}

    def facts(self) -> Mapping[str, Any]:
        return {"score": self.score.name}
