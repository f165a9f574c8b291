"""Estimates without training: what an untrained network costs, or how it answers one minibatch.

Mellor et al. 2021, https://arxiv.org/abs/2006.04647; Abdelfattah et al. 2021, https://arxiv.org/abs/2101.08134.
The formulas stand in ``_zero_cost_scores``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from nasctl.core import Architecture, Candidate, Dataset, EstimatorContext, Evaluation
from nasctl.errors import RequestError, TrialError
from nasctl.estimator import _zero_cost_scores as scores
from nasctl.estimator._independent import IndependentEstimator
from nasctl.estimator._work import Counter
from nasctl.out_of_memory import of_one_candidate
from nasctl.seeds import position_seed

Score = Literal["params", "macs", "naswot", "synflow", "grad_norm"]


class ZeroCost(IndependentEstimator):
    """Scores the network of the form ``search``, resized by ``size``, at its initialisation: higher is better.

    Random numbers are a function of the search's seed alone: every candidate starts from the same random state and
    sees the same training batch, so a score is a function of the architecture and the seed. Only ``naswot`` and
    ``grad_norm`` read data. The metric is ``score``; there is no error. A score that is no finite number fails the
    trial.
    """

    error_kind = "zero-cost"

    def __init__(
        self,
        context: EstimatorContext,
        *,
        score: Score,
        batch_size: Annotated[int, Field(ge=2)],
        size: dict[str, PositiveInt],
    ) -> None:
        space, dataset, device = context.space, context.data, context.device
        if score not in ("params", "macs") and dataset.task.kind == "language":
            raise RequestError(
                f"estimator.score={score} scores networks of images or of rows, but the data set is text; "
                "set estimator.score=params or macs, or choose estimator=from_scratch or supernet_language"
            )
        self.space, self.dataset, self.device, self.seed = space, dataset, device, context.seed
        self.name, self.batch_size, self.size = score, batch_size, size
        ways: dict[str, Callable[[Architecture], float]] = {
            "params": lambda arch: self._count(arch, "params"),
            "macs": lambda arch: self._count(arch, "macs"),
            "naswot": lambda arch: scores.naswot(self._network(arch), self._batch[0]),
            "synflow": lambda arch: scores.synflow(self._network(arch), dataset.task.input_shape, device),
            "grad_norm": lambda arch: scores.gradient_norm(self._network(arch), *self._batch, dataset.loss),
        }
        self.score = ways[score]

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        with of_one_candidate(), Counter() as counter:
            score = float(self.score(candidate.arch))
        work = counter.macs if self.name not in ("params", "macs") else 0  # those run on no data
        if not math.isfinite(score):
            raise TrialError(f"estimator.score={self.name} is {score}; choose another score, batch_size or size", work)
        return Evaluation({"score": score}, work=work)

    def _network(self, arch: Architecture) -> nn.Module:
        torch.manual_seed(position_seed(self.seed, "zero-cost"))
        return self.space.build(self.space.genotype(arch), "search", **self.size).to(self.device)

    def _count(self, arch: Architecture, resource: str) -> int:
        with torch.device("meta"):
            network = self.space.build(self.space.genotype(arch), "search", **self.size)
        return self.space.count(network)[resource]

    @cached_property
    def _batch(self) -> tuple[Tensor, Tensor]:
        return self.dataset.train().batch(self.batch_size, 0, 0)

    @classmethod
    def reads(cls, settings: Mapping[str, Any], dataset: Dataset) -> Mapping[str, str]:
        return dataset.fingerprint() if settings["score"] in ("naswot", "grad_norm") else {}

    def fingerprint(self) -> Mapping[str, str]:
        return self.reads({"score": self.name}, self.dataset)

    def facts(self) -> Mapping[str, Any]:
        return {"score": self.name}
