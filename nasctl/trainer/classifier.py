"""Train an image classifier by SGD: the recipe of the DARTS evaluation, every part a setting.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 3.1.2; scheduled drop path as in Zoph et al. 2018,
https://arxiv.org/abs/1707.07012, appendix A.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from nasctl.core import Dataset, Metrics, Split, State, Tick, TrialError, position_seed


class Classifier:
    """SGD with a cosine by epoch, clipping, an auxiliary loss, and drop path that grows linearly by epoch.

    All randomness of a step is a function of (seed, step), so a run resumed in the middle of an epoch goes on
    as it would have. Nothing inside a step waits for the device.
    """

    def __init__(
        self,
        *,
        batch_size: PositiveInt,
        eval_batch_size: PositiveInt,
        epochs: PositiveInt,
        lr: PositiveFloat,
        lr_min: NonNegativeFloat,
        momentum: Annotated[float, Field(ge=0, lt=1)],
        nesterov: bool,
        weight_decay: NonNegativeFloat,
        clip: PositiveFloat,
        auxiliary_weight: NonNegativeFloat,
        drop_path: Annotated[float, Field(ge=0, lt=1)],
        channels_last: bool,
    ) -> None:
        self.batch_size, self.eval_batch_size, self.epochs = batch_size, eval_batch_size, epochs
        self.lr, self.lr_min, self.clip = lr, lr_min, clip
        self.sgd = partial(torch.optim.SGD, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
        self.auxiliary_weight, self.drop_path = auxiliary_weight, drop_path
        self.format = torch.channels_last if channels_last else torch.contiguous_format

    def fit(
        self,
        model: nn.Module,
        dataset: Dataset,
        split: Split,
        *,
        seed: int,
        epochs: int | None,
        tick: Tick,
        record: Callable[[Mapping[str, Any]], None],
        state: State | None,
    ) -> None:
        """Train ``model`` in place; ``record`` gets one line an epoch."""
        model.to(memory_format=self.format)
        optimizer = self.sgd(model.parameters())
        epochs, steps = epochs or self.epochs, math.ceil(len(split) / self.batch_size)
        progress = _Progress(model, optimizer)
        if state is not None:
            progress.load_state_dict(state)
        while progress.position < epochs * steps:
            epoch, step = divmod(progress.position, steps)
            self._schedule(model, optimizer, epoch / epochs)
            torch.manual_seed(position_seed(seed, "step", progress.position))
            x, y = split.batch(self.batch_size, epoch, step)
            progress.add(self._step(model, optimizer, dataset, x, y), len(y))
            if step == steps - 1:
                record({"epoch": epoch, "lr": self._rate(epoch / epochs), **progress.close(dataset)})
            tick(progress.state_dict, self._shown(progress, steps, epochs))

    @staticmethod
    def _shown(progress: _Progress, steps: int, epochs: int) -> dict[str, Any]:
        epoch = progress.position / steps
        place = {"phase": "training", "share": epoch / epochs, "epoch": epoch, "step": progress.position}
        return {**place, "loss": progress.loss, "error": progress.error}

    def _schedule(self, model: nn.Module, optimizer: torch.optim.Optimizer, share: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = self._rate(share)
        if self.drop_path:
            model.drop_path.probability = self.drop_path * share  # type: ignore[union-attr]

    def _rate(self, share: float) -> float:
        return self.lr_min + (self.lr - self.lr_min) * (1 + math.cos(math.pi * share)) / 2

    def _step(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, dataset: Dataset, x: Tensor, y: Tensor
    ) -> Mapping[str, Tensor]:
        model.train()
        optimizer.zero_grad(set_to_none=True)
        outputs = model(self._laid_out(x))
        logits, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
        loss = dataset.loss(logits, y)
        for extra in auxiliary:
            loss = loss + self.auxiliary_weight * dataset.loss(extra, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), self.clip)
        optimizer.step()
        return dataset.measure(logits.detach(), y)

    def _laid_out(self, x: Tensor) -> Tensor:
        return x.contiguous(memory_format=self.format) if x.dim() == 4 else x  # only images have channels

    @torch.no_grad()
    def evaluate(self, model: nn.Module, dataset: Dataset, split: Split) -> Metrics:
        model.eval()
        sums: dict[str, Tensor] = {}
        for step in range(math.ceil(len(split) / self.eval_batch_size)):
            x, y = split.batch(self.eval_batch_size, 0, step)
            measured = dataset.measure(model(self._laid_out(x)), y)
            sums = {name: sums.get(name, 0) + value for name, value in measured.items()}
        metrics = dataset.metrics({name: value.tolist() for name, value in sums.items()}, len(split))
        if not math.isfinite(metrics["loss"]):
            raise TrialError(f"loss is {metrics['loss']} after the last step; lower trainer.lr or trainer.clip")
        return metrics


class _Progress:
    """The state of a training: model, optimizer, position, and the measures of the epoch under way."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.model, self.optimizer = model, optimizer
        self.position = 0
        self.measured: list[dict[str, Tensor]] = []
        self.examples: list[int] = []
        self.loss: Tensor | None = None  # of the last batch, still on the device
        self.error: float | None = None  # of the last whole epoch, where the data set measures one

    def add(self, measured: Mapping[str, Tensor], examples: int) -> None:
        self.measured.append(dict(measured))
        self.examples.append(examples)
        self.loss = measured["loss"] / examples
        self.position += 1

    def close(self, dataset: Dataset) -> Metrics:
        """Return the metrics of the epoch that ends here; `TrialError` names the first step that went wrong."""
        sums = {name: torch.stack([m[name].double() for m in self.measured]) for name in self.measured[0]}
        self._check(sums["loss"].tolist())
        totals = {name: values.sum(0).tolist() for name, values in sums.items()}
        metrics = dataset.metrics(totals, sum(self.examples))
        self.measured, self.examples, self.error = [], [], metrics.get("error")
        return metrics

    def _check(self, losses: list[float]) -> None:
        for step, loss in enumerate(losses, start=self.position - len(losses)):
            if not math.isfinite(loss):
                raise TrialError(f"training loss is {loss} at step {step}; lower trainer.lr or trainer.clip")

    def state_dict(self) -> State:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "position": self.position,
            "measured": self.measured,
            "examples": self.examples,
        }

    def load_state_dict(self, state: State) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.position, self.examples = state["position"], list(state["examples"])
        device = next(self.model.parameters()).device  # a checkpoint is read to the CPU
        self.measured = [{name: value.to(device) for name, value in m.items()} for m in state["measured"]]
