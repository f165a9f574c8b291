"""Weight sharing: one network holds all architectures, and a candidate is scored with its weights.

Pham et al. 2018, https://arxiv.org/abs/1802.03268; for relaxed candidates Liu et al. 2019,
https://arxiv.org/abs/1806.09055, algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt

from nasctl.core import (
    Candidate,
    Dataset,
    Evaluation,
    Metrics,
    Relaxation,
    SharedWeightContext,
    State,
)
from nasctl.errors import RunError
from nasctl.estimator._mixture_loss import MixtureLoss
from nasctl.estimator._path_runner import PathRunner
from nasctl.estimator._path_score import PathScore, Statistics, train_mode
from nasctl.estimator._replay import Replay, replays
from nasctl.estimator._schedule import Rounds, Schedule
from nasctl.estimator._streams import streams
from nasctl.estimator._weight_optimizer import Sgd, WeightOptimizer
from nasctl.estimator._weight_training import WeightTraining
from nasctl.estimator._work import PASS
from nasctl.estimator.sampler._paths import PathSampler, WeightStep
from nasctl.estimator.unroll._bilevel import Mixtures, Unroll
from nasctl.seeds import position_seed


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Settings of the node ``speed``, which touch no result but its rounding."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    channels_last: bool
    compile: bool
    cuda_graph: bool


class Supernet:
    """Trains the shared weights by SGD and scores candidates on validation batches.

    One evaluation draws a training and a validation batch; a weight step that follows takes that training batch and
    the paths of ``sampler``. With weights, a candidate's loss carries the gradient of ``unroll``; a single path is
    scored as `PathScore` says. ``bilevel=false`` trains weights and mixtures on the same data. ``fit`` takes one weight
    step a call; ``work`` is that of these steps. Random numbers are a function of the search's seed and the position
    in training; the index of a trial plays no part.
    """

    takes_relaxed = True
    error_kind = "proxy"

    def __init__(
        self,
        context: SharedWeightContext,
        *,
        batch_size: PositiveInt,
        epochs: PositiveFloat | None,
        schedule: Rounds,
        sampler: PathSampler,
        val_batches: PositiveInt | None,
        statistics: Statistics,
        optimizer: Sgd,
        unroll: Unroll,
        bilevel: bool,
        tar_beta: NonNegativeFloat,
        speed: Speed,
        size: dict[str, PositiveInt],
    ) -> None:
        space, dataset, device, seed = context.space, context.data, context.device, context.seed
        sampler.check(space)
        self.space, self.dataset, self.device, self.seed = space, dataset, device, seed
        self.sampler, self.bilevel = sampler, bilevel
        layout = torch.channels_last if speed.channels_last else torch.contiguous_format
        torch.manual_seed(position_seed(seed, "supernet"))
        self.net = space.supernet(**size).to(device).to(memory_format=layout)
        self.train, self.val = streams(
            dataset, self.net, seed, size=batch_size, bilevel=bilevel, layout=layout, tar_beta=tar_beta
        )
        self.schedule = Schedule(self.train.steps, epochs, schedule)
        self.runner = PathRunner(self.net, compile=speed.compile, twice=unroll.twice)
        self.optimizer = WeightOptimizer(self.runner.weights, self.schedule, self.train, optimizer)
        self.path_score = PathScore(dataset, self.runner, self.train, self.val, statistics, val_batches)
        self.training = WeightTraining(dataset, self.runner, self.train, self.optimizer, sampler)
        self.mixture_loss = MixtureLoss(dataset, self.runner, self.optimizer, unroll)
        self.replay = self._replay(speed.cuda_graph)
        self.work = 0

    def _replay(self, cuda_graph: bool) -> Replay | None:
        """Return the graphs of a mixture's steps, if they are wished for and can be captured."""
        twice = self.mixture_loss.unroll.twice
        if not replays(self.device, cuda_graph=cuda_graph, text=not self.train.replays, twice=twice):
            return None
        choices = self.space.relaxed_choices if isinstance(self.space, Relaxation) else ()
        return Replay(
            self.net, self.runner.weights, choices, self.mixture_loss.of_mixture, self.training.loss, twice=twice
        )

    @property
    def epoch(self) -> float:
        """Return the passes of the shared weights over their training data so far."""
        return self.schedule.epoch

    def spent(self) -> tuple[float, int]:
        return self.epoch, self.work

    def fit(self, sample: Callable[[], Candidate]) -> Mapping[str, Any] | None:
        if self.schedule.due:
            step = WeightStep(self.space, self.seed, self.schedule.position, sample)
            self.work += self.training.step(step, self.replay)
            self.schedule.stepped()
        return self.schedule.shown() if self.schedule.due else None

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        candidate = self.runner.on_device(candidate)
        mixtures = candidate.weights
        found = self._scored(candidate) if mixtures is None else self._relaxed(candidate, mixtures)
        self.schedule.evaluated()
        return found

    def score(self, candidate: Candidate) -> Metrics:
        return self._scored(candidate).metrics

    def _scored(self, candidate: Candidate) -> Evaluation:
        metrics, work = self.path_score(candidate, self.schedule.turn)
        return Evaluation(self._checked(metrics), work=work)

    def _relaxed(self, candidate: Candidate, mixtures: Mixtures) -> Evaluation:
        train_mode(self.net, True)
        train = self.train.batch(self.schedule.turn)
        val = self.val.architecture_batch(self.schedule.turn) if self.bilevel else train
        rate = self.optimizer.rate(train[0])
        if self.replay is None or not self.training.replays(candidate):
            loss, sums = self.mixture_loss(candidate, mixtures, rate, train, val)
        else:
            loss, sums = self.replay.search(mixtures, rate, train, val)
        self.val.keep(val[0])
        work = PASS * self.runner.macs(candidate) * self.mixture_loss.examples(train, val)
        metrics = self.dataset.metrics({name: value.tolist() for name, value in sums.items()}, len(val[1]))
        return Evaluation(self._checked(metrics), loss, work=work)

    def _checked(self, metrics: Metrics) -> Metrics:
        """Return ``metrics``, or raise `RunError` if the loss is no number."""
        if not math.isfinite(metrics["loss"]):
            settings = self.optimizer.settings
            raise RunError(
                f"validation loss is {metrics['loss']} at step {self.schedule.position}; lower estimator.optimizer.lr "
                f"(now {settings.lr}) or estimator.optimizer.clip (now {settings.clip})"
            )
        return metrics

    @classmethod
    def reads(cls, settings: Mapping[str, Any], dataset: Dataset) -> Mapping[str, str]:
        return dataset.fingerprint()

    def fingerprint(self) -> Mapping[str, str]:
        return self.dataset.fingerprint()

    def facts(self) -> Mapping[str, Any]:
        return {}

    def state_dict(self) -> State:
        return {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "sampler": self.sampler.state_dict(),
            "work": self.work,
            "streams": [self.train.state_dict(), self.val.state_dict()],
        }

    def load_state_dict(self, state: State) -> None:
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.replay is not None:
            self.replay.forget()
        self.schedule.load_state_dict(state["schedule"])
        self.sampler.load_state_dict(state["sampler"])
        self.work = state["work"]
        for stream, held in zip((self.train, self.val), state["streams"], strict=True):
            stream.load_state_dict(held)
