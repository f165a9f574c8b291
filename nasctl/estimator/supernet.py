"""Weight sharing: one network holds all architectures, and a candidate is scored with its weights.

Pham et al. 2018, https://arxiv.org/abs/1802.03268; for relaxed candidates Liu et al. 2019,
https://arxiv.org/abs/1806.09055, algorithm 1.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.func import functional_call

from nasctl.compilation import with_graphs
from nasctl.core import (
    Architecture,
    Candidate,
    Dataset,
    Evaluation,
    Metrics,
    Pulse,
    RequestError,
    RunError,
    SearchSpace,
    State,
    position_seed,
)
from nasctl.estimator._streams import streams
from nasctl.estimator._unroll import PASSES, UNROLLS, Rows, VirtualStep, Weights
from nasctl.estimator._work import PASS, Meter

log = logging.getLogger("nasctl")


class Supernet:
    """Trains the shared weights by SGD and scores candidates on validation batches.

    One evaluation draws a training and a validation batch; the next ``fit`` takes the weight step on that
    training batch. With weights, a candidate's loss carries the gradient of ``unroll``. Norms use the
    statistics of the batch, since running ones mix all paths. ``bilevel=false`` trains weights and rows on
    the same data.
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
        val_batches: PositiveInt | None,
        lr: PositiveFloat,
        lr_min: NonNegativeFloat,
        momentum: NonNegativeFloat,
        weight_decay: NonNegativeFloat,
        clip: PositiveFloat,
        unroll: Literal["first_order", "exact", "finite_difference"],
        unroll_radius: PositiveFloat,
        unroll_clip: PositiveFloat | None,
        bilevel: bool,
        slowness: NonNegativeFloat,
        channels_last: bool,
        compile: bool,
        cuda_graph: bool,
        size: dict[str, PositiveInt],
    ) -> None:
        if warmup_epochs and (epochs is None or warmup_epochs > epochs):
            raise RequestError(
                f"estimator: warmup_epochs ({warmup_epochs}) must be at most epochs ({epochs}); set budget.epochs"
            )
        self.dataset, self.device, self.pulse = dataset, device, pulse
        self.batch_size, self.val_batches, self.bilevel = batch_size, val_batches, bilevel
        self.epochs, self.clip, self.unroll_clip = epochs, clip, unroll_clip
        self.lr, self.lr_min = lr, lr_min
        self.unroll, self.unroll_radius, self.passes = UNROLLS[unroll], unroll_radius, PASSES[unroll]
        layout = torch.channels_last if channels_last else torch.contiguous_format
        torch.manual_seed(position_seed(seed, "supernet"))
        self.net = space.supernet(**size).to(device).to(memory_format=layout)
        self.train, self.val = streams(
            dataset, self.net, seed, size=batch_size, bilevel=bilevel, layout=layout, slowness=slowness
        )
        self.steps = self.train.steps
        self.warmup = warmup_epochs * self.steps
        if unroll == "exact" and (compile or cuda_graph):
            log.warning("estimator.unroll=exact differentiates twice, which compiled code cannot; going on without it")
            compile = cuda_graph = False
        compile_step: Any = getattr(self.net, "compile_step", None)
        if compile and compile_step is not None:  # one step of many alike
            compile_step("estimator.compile")
            compile = False
        if unroll == "finite_difference" and cuda_graph:
            log.warning("estimator.cuda_graph=true needs unroll=first_order: a graph reuses the memory of gradients")
            cuda_graph = False
        self.mixed = with_graphs(self._mixed, device, "estimator", compile=compile, cuda_graph=cuda_graph)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr, momentum, weight_decay=weight_decay)
        self.position = 0  # weight steps taken or, while one is pending, about to be taken
        self.pending = False
        self.meter, self.work = Meter(), 0

    @property
    def epoch(self) -> float:
        return self.position / self.steps

    def fit(self, sample: Callable[[], Candidate]) -> None:
        while self.position < self.warmup:
            self._weight_step(sample())
            self.pulse({"phase": "warm-up", "epoch": self.epoch, "warmup_share": self.position / self.warmup})
        if self.pending:
            self.pending = False
            self._weight_step(sample())

    def _weight_step(self, candidate: Candidate) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        x, y = self.train.batch(self.position)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.dataset.loss(self._outputs(x, self._on_device(candidate)), y)
        (loss + self.train.penalty(x)).backward()
        self.train.keep(x)
        self.work += PASS * self.meter.macs(_path(candidate)) * len(y)
        nn.utils.clip_grad_norm_(self.net.parameters(), self.clip)
        self.optimizer.step()
        self.position += 1

    def _rate(self) -> float:
        """Return the learning rate: cosine by epoch, constant where the epochs are not given."""
        if self.epochs is None:
            return self.lr
        share = min(self.position // self.steps / self.epochs, 1.0)
        return self.lr_min + (self.lr - self.lr_min) * (1 + math.cos(math.pi * share)) / 2

    def evaluate(self, candidate: Candidate) -> Evaluation:
        self.net.train()
        self.pending = self.epochs is None or self.epoch < self.epochs
        candidate = self._on_device(candidate)
        if candidate.weights is None:
            return Evaluation(self._score(candidate))
        return self._relaxed(candidate, candidate.weights)

    @torch.no_grad()
    def _score(self, candidate: Candidate) -> Metrics:
        """Return the metrics of a picked path over ``val_batches`` validation batches (all if null)."""
        total = self.val.steps
        count = total if self.val_batches is None else min(self.val_batches, total)
        start = self.position if count < total else 0
        sums: dict[str, Tensor] = {}
        examples, val = 0, self.val.afresh()
        self.net.train(val.trains_to_score)
        for i in range(start, start + count):
            x, y = val.batch(i)
            measured = self.dataset.measure(self._outputs(x, candidate), y)
            val.keep(x)
            sums = {name: sums.get(name, 0) + value for name, value in measured.items()}
            examples += len(y)
        self.net.train()
        self.work += self.meter.macs(_path(candidate)) * examples
        return self._metrics(sums, examples)

    def _outputs(self, x: Tensor, candidate: Candidate, weights: Weights | None = None) -> Tensor:
        """Return the logits of a candidate, with ``weights`` in place of the network's own."""
        path, weights, rows = _path(candidate), dict(weights or self.net.named_parameters()), candidate.weights
        if rows is None or candidate.active is not None:  # another network each time: never compiled
            return self.meter.run(path, lambda: functional_call(self.net, weights, (x, candidate)), len(x))
        mixed = self.mixed if path in self.meter.known else self._mixed  # a compiled run cannot be counted
        return self.meter.run(path, lambda: mixed(weights, x, list(rows)), len(x))

    def _mixed(self, weights: Weights, x: Tensor, rows: Rows) -> Tensor:
        return functional_call(self.net, dict(weights), (x, Candidate((), rows)))

    def _relaxed(self, candidate: Candidate, rows: Rows) -> Evaluation:
        train = self.train.batch(self.position)
        val = self.val.batch(self.position) if self.bilevel else train
        measured: list[Mapping[str, Tensor]] = []

        def outputs(x: Tensor, weights: Weights, rows: Rows) -> Tensor:
            return self._outputs(x, replace(candidate, weights=rows), weights)

        def train_loss(weights: Weights, rows: Rows) -> Tensor:
            return self.dataset.loss(outputs(train[0], weights, rows), train[1])

        def val_loss(weights: Weights, rows: Rows) -> Tensor:
            logits = outputs(val[0], weights, rows)
            measured.append(self.dataset.measure(logits.detach(), val[1]))
            return self.dataset.loss(logits, val[1])

        weights = dict(self.net.named_parameters())
        step = self._virtual_step(weights)
        loss = self.unroll(train_loss, val_loss, weights, rows, step, self.unroll_radius)
        self.val.keep(val[0])
        examples = self.passes[0] * len(train[1]) + self.passes[1] * len(val[1])
        self.work += PASS * self.meter.macs(_path(candidate)) * examples
        return Evaluation(self._metrics(measured[-1], len(val[1])), loss)

    def _virtual_step(self, weights: Weights) -> VirtualStep:
        group = self.optimizer.param_groups[0]
        states = {name: self.optimizer.state.get(w, {}) for name, w in weights.items()}
        found = {name: state.get("momentum_buffer") for name, state in states.items()}
        buffers = {name: buffer for name, buffer in found.items() if buffer is not None}
        return VirtualStep(self._rate(), group["momentum"], group["weight_decay"], buffers, self.unroll_clip)

    def _on_device(self, candidate: Candidate) -> Candidate:
        if candidate.weights is None:
            return candidate
        return replace(candidate, weights=[row.to(self.device) for row in candidate.weights])

    def _metrics(self, sums: Mapping[str, Tensor], examples: int) -> Metrics:
        metrics = self.dataset.metrics({name: value.tolist() for name, value in sums.items()}, examples)
        if not math.isfinite(metrics["loss"]):
            raise RunError(
                f"validation loss is {metrics['loss']} at step {self.position}; "
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
            "position": self.position,
            "pending": self.pending,
            "work": self.work,
            "streams": [self.train.state_dict(), self.val.state_dict()],
        }

    def load_state_dict(self, state: State) -> None:
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.position, self.pending, self.work = state["position"], state["pending"], state["work"]
        for stream, held in zip((self.train, self.val), state["streams"], strict=True):
            stream.load_state_dict(held)


def _path(candidate: Candidate) -> tuple[str, tuple[int, ...]]:
    """Return what decides which layers of the supernet run."""
    if candidate.weights is None:
        return "picked", candidate.arch
    return ("mixed", ()) if candidate.active is None else ("active", tuple(candidate.active))
