"""Weight sharing: one network holds all architectures, and a candidate is scored with its weights.

Pham et al. 2018, https://arxiv.org/abs/1802.03268; for relaxed candidates Liu et al. 2019,
https://arxiv.org/abs/1806.09055, algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from nasctl.core import (
    Architecture,
    Candidate,
    Dataset,
    Evaluation,
    Metrics,
    Pulse,
    RunError,
    SearchSpace,
    Split,
    State,
    position_seed,
)
from nasctl.estimator._fair import Fair
from nasctl.estimator._forward import Forward
from nasctl.estimator._nsas import Nsas, Settings
from nasctl.estimator._recalibration import Recalibration
from nasctl.estimator._sampler import OfStrategy, Sampler, Uniform
from nasctl.estimator._schedule import Schedule
from nasctl.estimator._unroll import PASSES, UNROLLS, Rows, VirtualStep, Weights
from nasctl.estimator._work import PASS

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
    ``bilevel=false`` trains weights and rows on the same data. ``fit`` takes one weight step a call.
    """

    takes_relaxed = True
    tabular = False
    error_kind = "proxy"

    def __init__(
        self,
        space: SearchSpace,
        dataset: Dataset,
        device: torch.device,
        seed: int,
        pulse: Pulse,
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
        lr: PositiveFloat,
        lr_min: NonNegativeFloat,
        momentum: NonNegativeFloat,
        weight_decay: NonNegativeFloat,
        clip: PositiveFloat,
        unroll: Literal["first_order", "exact", "finite_difference"],
        unroll_radius: PositiveFloat,
        bilevel: bool,
        channels_last: bool,
        compile: bool,
        cuda_graph: bool,
        size: dict[str, PositiveInt],
    ) -> None:
        self.dataset, self.device = dataset, device
        self.train, self.val = self._splits(dataset, bilevel)
        self.batch_size, self.val_batches, self.bilevel = batch_size, val_batches, bilevel
        self.lr, self.lr_min, self.clip = lr, lr_min, clip
        self.schedule = Schedule(
            math.ceil(len(self.train) / batch_size),
            epochs=epochs,
            warmup_epochs=warmup_epochs,
            fit_epochs=fit_epochs,
            fit_every=fit_every,
        )
        self.sampler = SAMPLERS[sampler](space, seed, nsas)
        self.unroll, self.unroll_radius, self.passes = UNROLLS[unroll], unroll_radius, PASSES[unroll]
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        torch.manual_seed(position_seed(seed, "supernet"))
        self.net = space.supernet(**size).to(device).to(memory_format=self.format)
        self.forward = Forward(self.net, device, unroll=unroll, compile=compile, cuda_graph=cuda_graph)
        self.recalibration = Recalibration(self.net, recalibrate)
        self.weights = self.forward.weights
        self.optimizer = torch.optim.SGD(self.weights.values(), lr, momentum, weight_decay=weight_decay)
        self.work = 0

    @staticmethod
    def _splits(dataset: Dataset, bilevel: bool) -> tuple[Split, Split]:
        return (dataset.train(), dataset.val()) if bilevel else (dataset.full(), dataset.full())

    @property
    def epoch(self) -> float:
        return self.schedule.epoch

    def fit(self, sample: Callable[[], Candidate]) -> Mapping[str, Any] | None:
        if self.schedule.due:
            self._weight_step(sample)
            self.schedule.stepped()
        return self.schedule.shown() if self.schedule.due else None

    def _weight_step(self, sample: Callable[[], Candidate]) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        x, y = self._batch(self.train, self.schedule.position)
        self.optimizer.zero_grad(set_to_none=True)
        for candidate, factor in self.sampler.paths(sample, self.schedule.position):
            loss = self.dataset.loss(self.forward(x, self._on_device(candidate)), y)
            (factor * loss).backward()
            self.work += PASS * self.forward.macs(candidate) * len(y)
        moved = [weight for weight in self.weights.values() if weight.grad is not None]
        nn.utils.clip_grad_norm_(moved, self.clip)
        self.optimizer.step()

    def _rate(self) -> float:
        return self.schedule.cosine(self.lr, self.lr_min)

    def evaluate(self, candidate: Candidate) -> Evaluation:
        candidate = self._on_device(candidate)
        rows = candidate.weights
        found = Evaluation(self.score(candidate)) if rows is None else self._relaxed(candidate, rows)
        self.schedule.evaluated()
        return found

    @torch.no_grad()
    def score(self, candidate: Candidate) -> Metrics:
        """Return the metrics of a picked path over ``val_batches`` validation batches (all if null).

        No weight moves and nothing is counted but work, so it is a function of the candidate.
        """
        self._train_norms()
        total = math.ceil(len(self.val) / self.batch_size)
        count = total if self.val_batches is None else min(self.val_batches, total)
        start = self.schedule.turn if count < total else 0
        sums: dict[str, Tensor] = {}
        examples = 0
        with self.recalibration.applied(lambda i: self._run(self.train, i, candidate)):
            for i in range(start, start + count):
                outputs, y = self._run(self.val, i, candidate)
                measured = self.dataset.measure(outputs, y)
                sums = {name: sums.get(name, 0) + value for name, value in measured.items()}
                examples += len(y)
        return self._metrics(sums, examples)

    def _run(self, split: Split, position: int, candidate: Candidate) -> tuple[Tensor, Tensor]:
        """Return the logits of a picked path on a batch, and its targets."""
        x, y = self._batch(split, position)
        outputs = self.forward(x, candidate)
        self.work += self.forward.macs(candidate) * len(y)
        return outputs, y

    def _train_norms(self) -> None:
        """Let norms use the batch; walking over all modules takes a while, so only where it is needed."""
        if not self.net.training:
            self.net.train()

    def _relaxed(self, candidate: Candidate, rows: Rows) -> Evaluation:
        self._train_norms()
        train = self._batch(self.train, self.schedule.turn)
        val = self._batch(self.val, self.schedule.turn) if self.bilevel else train
        measured: list[Mapping[str, Tensor]] = []

        def outputs(x: Tensor, weights: Weights, rows: Rows) -> Tensor:
            return self.forward(x, replace(candidate, weights=rows), weights)

        def train_loss(weights: Weights, rows: Rows) -> Tensor:
            return self.dataset.loss(outputs(train[0], weights, rows), train[1])

        def val_loss(weights: Weights, rows: Rows) -> Tensor:
            logits = outputs(val[0], weights, rows)
            measured.append(self.dataset.measure(logits.detach(), val[1]))
            return self.dataset.loss(logits, val[1])

        loss = self.unroll(train_loss, val_loss, self.weights, rows, self._virtual_step(), self.unroll_radius)
        examples = self.passes[0] * len(train[1]) + self.passes[1] * len(val[1])
        self.work += PASS * self.forward.macs(candidate) * examples
        return Evaluation(self._metrics(measured[-1], len(val[1])), loss)

    def _virtual_step(self) -> VirtualStep:
        group = self.optimizer.param_groups[0]
        states = {name: self.optimizer.state.get(w, {}) for name, w in self.weights.items()}
        found = {name: state.get("momentum_buffer") for name, state in states.items()}
        buffers = {name: buffer for name, buffer in found.items() if buffer is not None}
        return VirtualStep(self._rate(), group["momentum"], group["weight_decay"], buffers)

    def _batch(self, split: Split, position: int) -> tuple[Tensor, Tensor]:
        epoch, step = divmod(position, math.ceil(len(split) / self.batch_size))
        x, y = split.batch(self.batch_size, epoch, step)
        return x.contiguous(memory_format=self.format) if x.dim() == 4 else x, y

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

    def covers(self, arch: Architecture) -> bool:
        return True

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
        }

    def load_state_dict(self, state: State) -> None:
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.sampler.load_state_dict(state["sampler"])
        self.work = state["work"]
