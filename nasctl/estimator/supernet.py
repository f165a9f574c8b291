"""Weight sharing: one network holds all architectures, and a candidate is scored with its weights.

Pham et al. 2018, https://arxiv.org/abs/1802.03268; for relaxed candidates Liu et al. 2019,
https://arxiv.org/abs/1806.09055, algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from nasctl.core import (
    Candidate,
    Dataset,
    EstimatorContext,
    Evaluation,
    Metrics,
    Relaxation,
    SearchSpace,
    State,
)
from nasctl.errors import RunError
from nasctl.estimator._fair import Fair
from nasctl.estimator._forward import Forward
from nasctl.estimator._nsas import Nsas, Settings
from nasctl.estimator._recalibration import Recalibration
from nasctl.estimator._released import unrolling
from nasctl.estimator._replay import Replay, replays
from nasctl.estimator._sampler import OfStrategy, Sampler, Uniform
from nasctl.estimator._schedule import Schedule
from nasctl.estimator._streams import Stream, check_kind, streams
from nasctl.estimator._unroll import PASSES, UNROLLS, Rows, VirtualStep, Weights
from nasctl.estimator._work import PASS
from nasctl.seeds import position_seed

Batch = tuple[Any, Tensor]

SAMPLERS: dict[str, Callable[[SearchSpace, int, Settings], Sampler]] = {
    "strategy": lambda space, seed, nsas: OfStrategy(),
    "uniform": lambda space, seed, nsas: Uniform(space, seed),
    "fair": lambda space, seed, nsas: Fair(space, seed),
    "nsas": Nsas,
}
"""Whose paths a weight step trains."""


class Supernet:
    """Trains the shared weights by SGD and scores candidates on validation batches.

    One evaluation draws a training and a validation batch; a weight step that follows takes that training batch.
    With weights, a candidate's loss carries the gradient of ``unroll``. Norms use the statistics of the batch, since
    running ones mix all paths, or, for a picked path, those of ``recalibrate`` training batches.
    ``bilevel=false`` trains weights and rows on the same data. ``fit`` takes one weight step a call; ``work`` is that
    of these steps. Random numbers are a function of the search's seed and the position in training; the index of a
    trial plays no part.
    """

    takes_relaxed = True
    error_kind = "proxy"

    def __init__(
        self,
        context: EstimatorContext,
        *,
        batch_size: PositiveInt,
        epochs: PositiveFloat | None,
        warmup_epochs: NonNegativeInt,
        fit_epochs: PositiveFloat | None,
        fit_every: PositiveInt,
        sampler: Literal["strategy", "uniform", "fair", "nsas"],
        nsas: Settings,
        val_batches: PositiveInt | None,
        recalibrate: NonNegativeInt,
        norms: Literal["batch", "moving"],
        lr: PositiveFloat,
        lr_min: NonNegativeFloat,
        lr_decay: Annotated[float, Field(gt=0, le=1)],
        lr_decay_from: NonNegativeInt,
        lr_by_length: bool,
        momentum: NonNegativeFloat,
        weight_decay: NonNegativeFloat,
        clip: PositiveFloat,
        unroll: Literal["first_order", "exact", "finite_difference", "released"],
        unroll_radius: PositiveFloat,
        unroll_clip: PositiveFloat | None,
        bilevel: bool,
        slowness: NonNegativeFloat,
        channels_last: bool,
        compile: bool,
        cuda_graph: bool,
        size: dict[str, PositiveInt],
    ) -> None:
        space, dataset, device, seed = context.space, context.data, context.device, context.seed
        self.dataset, self.device = dataset, device
        self.val_batches, self.bilevel = val_batches, bilevel
        self.lr, self.lr_min, self.clip, self.unroll_clip = lr, lr_min, clip, unroll_clip
        self.lr_decay, self.lr_decay_from, self.lr_by_length = lr_decay, lr_decay_from, lr_by_length
        self.sampler = SAMPLERS[sampler](space, seed, nsas)
        self.unroll, self.unroll_radius, self.passes = UNROLLS[unroll], unroll_radius, PASSES[unroll]
        layout = torch.channels_last if channels_last else torch.contiguous_format
        torch.manual_seed(position_seed(seed, "supernet"))
        self.net = space.supernet(**size).to(device).to(memory_format=layout)
        self.train, self.val = streams(
            dataset, self.net, seed, size=batch_size, bilevel=bilevel, layout=layout, slowness=slowness
        )
        check_kind(self.train.replays, lr_by_length=lr_by_length, norms=norms, recalibrate=recalibrate)
        self.moving = norms == "moving"
        self.unrolling = unrolling(unroll, self.net)
        self.schedule = Schedule(
            self.train.steps, epochs=epochs, warmup_epochs=warmup_epochs, fit_epochs=fit_epochs, fit_every=fit_every
        )
        self.forward = Forward(self.net, unroll=unroll, compile=compile)
        self.recalibration = Recalibration(self.net, recalibrate)
        self.weights = self.forward.weights
        self.optimizer = torch.optim.SGD(self.weights.values(), lr, momentum, weight_decay=weight_decay)
        exact, text = unroll == "exact", not self.train.replays
        wanted = replays(device, cuda_graph=cuda_graph, text=text, exact=exact)
        choices = space.relaxed_choices if isinstance(space, Relaxation) else ()
        self.replay = Replay(self.net, self.weights, choices, self._mixture, self._loss, exact) if wanted else None
        self.work = 0

    @property
    def epoch(self) -> float:
        """Return the passes of the shared weights over their training data so far."""
        return self.schedule.epoch

    def spent(self) -> tuple[float, int]:
        return self.epoch, self.work

    def fit(self, sample: Callable[[], Candidate]) -> Mapping[str, Any] | None:
        if self.schedule.due:
            self._weight_step(sample)
            self.schedule.stepped()
        return self.schedule.shown() if self.schedule.due else None

    def _weight_step(self, sample: Callable[[], Candidate]) -> None:
        x, y = self.train.batch(self.schedule.position)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(x)
        self.optimizer.zero_grad(set_to_none=True)
        for candidate, factor in self.sampler.paths(sample, self.schedule.position):
            self._add_gradients(self._on_device(candidate), x, y, factor)
            self.work += PASS * self.forward.macs(candidate) * len(y)
        self.train.keep(x)
        moved = [weight for weight in self.weights.values() if weight.grad is not None]
        nn.utils.clip_grad_norm_(moved, self.clip)
        self.optimizer.step()

    def _add_gradients(self, candidate: Candidate, x: Any, y: Tensor, factor: float) -> None:
        """Add a path's gradients, times ``factor``, to those that the weights have."""
        replay = self._replay_of(candidate)
        if replay is None:
            (factor * (self._loss(candidate, x, y) + self.train.penalty(x))).backward()
            return
        gradients = replay.weight_gradients(candidate.weights or (), x, y)  # a mixture is the only path of its step
        for weight, gradient in zip(self.weights.values(), gradients, strict=True):
            weight.grad = gradient

    def _loss(self, candidate: Candidate, x: Any, y: Tensor, weights: Weights | None = None) -> Tensor:
        return self.dataset.loss(self.forward(x, candidate, weights), y)

    def _replay_of(self, candidate: Candidate) -> Replay | None:
        """Return the graphs of a mixture, once the optimizer has the state that they read."""
        mixed = candidate.weights is not None and candidate.active is None
        return self.replay if mixed and self.optimizer.state else None

    def _rate(self, x: Any) -> float:
        """Return the learning rate of a training step on ``x``, and of the virtual step that foresees it."""
        decay = self.schedule.decay(self.lr_decay, self.lr_decay_from)
        rate = decay * self.schedule.cosine(self.lr, self.lr_min)
        return rate * self.train.share(x) if self.lr_by_length else rate

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        candidate = self._on_device(candidate)
        rows = candidate.weights
        found = self._scored(candidate) if rows is None else self._relaxed(candidate, rows)
        self.schedule.evaluated()
        return found

    def score(self, candidate: Candidate) -> Metrics:
        return self._scored(candidate).metrics

    @torch.no_grad()
    def _scored(self, candidate: Candidate) -> Evaluation:
        """Evaluate a picked path on ``val_batches`` validation batches (all if null).

        No weight moves and nothing is counted, so it is a function of the candidate. Candidates that are ``compared``
        are scored on the first batches, all others on the next ones.
        """
        total = self.val.steps
        count = total if self.val_batches is None else min(self.val_batches, total)
        start = self.schedule.turn if count < total and not candidate.compared else 0
        sums: dict[str, Tensor] = {}
        examples, train, val = 0, self.train.afresh(), self.val.afresh()
        work: list[int] = []  # of each batch
        self._train(val.trains_to_score and not self.moving)
        with self.recalibration.applied(lambda i: self._run(train, i, candidate, work)):
            for i in range(start, start + count):
                outputs, y = self._run(val, i, candidate, work)
                measured = self.dataset.measure(outputs, y)
                sums = {name: sums.get(name, 0) + value for name, value in measured.items()}
                examples += len(y)
        self._train()
        return Evaluation(self._metrics(sums, examples), work=sum(work))

    def _run(self, stream: Stream, position: int, candidate: Candidate, work: list[int]) -> tuple[Tensor, Tensor]:
        """Return the logits of a picked path on a batch, and its targets; append the work to ``work``."""
        x, y = stream.batch(position)
        outputs = self.forward(x, candidate)
        stream.keep(x)
        work.append(self.forward.macs(candidate) * len(y))
        return outputs, y

    def _train(self, mode: bool = True) -> None:
        """Switch norms and dropout; walking over all modules takes a while, so only where it is needed."""
        if self.net.training != mode:
            self.net.train(mode)

    def _relaxed(self, candidate: Candidate, rows: Rows) -> Evaluation:
        self._train()
        train = self.train.batch(self.schedule.turn)
        val = self.val.architecture_batch(self.schedule.turn) if self.bilevel else train
        rate = self._rate(train[0])
        replay = self._replay_of(candidate)
        if replay is None:
            loss, sums = self._unrolled(candidate, rows, rate, train, val)
        else:
            loss, sums = replay.search(rows, rate, train, val)
        self.val.keep(val[0])
        examples = self.passes[0] * len(train[1]) + self.passes[1] * len(val[1])
        work = PASS * self.forward.macs(candidate) * examples
        return Evaluation(self._metrics(sums, len(val[1])), loss, work=work)

    def _mixture(self, rows: Rows, rate: Tensor, train: Batch, val: Batch) -> tuple[Tensor, Mapping[str, Tensor]]:
        return self._unrolled(Candidate((), rows), rows, rate, train, val)

    def _unrolled(
        self, candidate: Candidate, rows: Rows, rate: float | Tensor, train: Batch, val: Batch
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return a loss whose gradient is that of ``unroll``, and the summed measures on the validation batch."""
        measured: list[Mapping[str, Tensor]] = []

        def outputs(x: Any, weights: Weights, rows: Rows) -> Tensor:
            return self.forward(self.unrolling.before_pass(x), replace(candidate, weights=rows), weights)

        def train_loss(weights: Weights, rows: Rows) -> Tensor:
            return self.dataset.loss(outputs(train[0], weights, rows), train[1])

        def val_loss(weights: Weights, rows: Rows) -> Tensor:
            logits = outputs(val[0], weights, rows)
            measured.append(self.dataset.measure(logits.detach(), val[1]))
            return self.dataset.loss(logits, val[1])

        step = self._virtual_step(rate)
        return self.unroll(train_loss, val_loss, self.weights, rows, step, self.unroll_radius), measured[-1]

    def _virtual_step(self, rate: float | Tensor) -> VirtualStep:
        group = self.optimizer.param_groups[0]
        states = {name: self.optimizer.state.get(w, {}) for name, w in self.weights.items()}
        found = {name: state.get("momentum_buffer") for name, state in states.items()}
        buffers = {name: buffer for name, buffer in found.items() if buffer is not None}
        return self.unrolling.step(rate, group["momentum"], group["weight_decay"], buffers, self.unroll_clip)

    def _on_device(self, candidate: Candidate) -> Candidate:
        if candidate.weights is None:
            return candidate
        return replace(candidate, weights=[row.to(self.device) for row in candidate.weights])

    def _metrics(self, sums: Mapping[str, Tensor], examples: int) -> Metrics:
        metrics = self.dataset.metrics({name: value.tolist() for name, value in sums.items()}, examples)
        if not math.isfinite(metrics["loss"]):
            raise RunError(
                f"validation loss is {metrics['loss']} at step {self.schedule.position}; "
                f"lower estimator.lr (now {self.lr}) or estimator.clip (now {self.clip})"
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
