"""Train a recurrent language model by SGD, every regulariser and the averaging of AWD-LSTM a switch.

Merity et al. 2018, https://arxiv.org/abs/1708.02182: the averaging and its trigger in section 3, lengths and rates
in section 5, activation regularisation in section 4.6 after Merity et al. 2017, https://arxiv.org/abs/1708.01009.
The dropouts belong to the network. Liu et al. 2019, https://arxiv.org/abs/1806.09055, train their cells alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from nasctl.core import Dataset, Metrics, RecurrentNetwork, Split, State, StepCallback, Trained
from nasctl.errors import RequestError, TrialError
from nasctl.seeds import position_seed
from nasctl.trainer._precision import Precision, check_precision
from nasctl.trainer._reading import Reading, detached
from nasctl.trainer._state import check_like, check_place, resume
from nasctl.trainer._training import widened

Factor = Annotated[float, Field(gt=0, le=1)]


class LanguageModel:
    """SGD with clipping; each of the penalties, the decay and the averaging does nothing at 0, 1 or false.

    A network takes tokens ``(T, B)`` and the state before them, and returns ``logits (T * B, V)``, ``hidden``, and
    its last layer's output ``(T, B, H)`` with (``dropped``) and without (``raw``) its dropout; ``init_hidden(B)`` is
    the state of zeros. The state is carried from step to step of an epoch and is part of the checkpoint. All randomness
    of a step is a function of (seed, epoch, step), and nothing inside a step waits for the device, but for fp16.

    After an epoch the network is validated, if there is a part to choose by. Once its loss exceeds the least one of
    all epochs but the last ``patience``, weights are averaged over the steps from then on, and the average is what
    is validated, chosen and tested. With ``rollback`` an epoch that ends in no number is undone: training goes on
    from the best weights, with the next epoch, and history.jsonl and result.json say so.
    """

    held_out = 0.1  # whatever the share: a text has a validation part of its own

    def __init__(
        self,
        *,
        batch_size: PositiveInt,
        eval_batch_size: PositiveInt,
        epochs: PositiveInt,
        lr: PositiveFloat,
        lr_by_length: bool,
        lr_decay: Factor,
        lr_decay_from: NonNegativeInt,
        weight_decay: NonNegativeFloat,
        clip: PositiveFloat,
        activation: NonNegativeFloat,
        slowness: NonNegativeFloat,
        averaging: bool,
        patience: PositiveInt,
        rollback: bool,
        keep: Literal["last", "best"],
        precision: Literal["fp32", "bf16", "fp16"],
        compile: bool,
    ) -> None:
        self.batch_size, self.eval_batch_size, self.epochs, self.clip = batch_size, eval_batch_size, epochs, clip
        self.lr, self.lr_by_length = lr, lr_by_length
        self.lr_decay, self.lr_decay_from = lr_decay, lr_decay_from
        self.sgd = partial(torch.optim.SGD, lr=lr, weight_decay=weight_decay)
        self.activation, self.slowness = activation, slowness
        self.averaging, self.patience, self.rollback = averaging, patience, rollback
        self.keep, self.precision, self.compile = keep, precision, compile

    def check(self, model: nn.Module, device: torch.device) -> None:
        """Raise `RequestError` if the recipe asks for what ``model`` or ``device`` lacks."""
        check_precision(self.precision, device)
        if not isinstance(model, RecurrentNetwork):
            raise RequestError(
                "trainer: language models are trained by this one, but the network is none; choose trainer=plain or "
                "another recipe for the data set's task"
            )

    def fit(
        self,
        model: nn.Module,
        dataset: Dataset,
        split: Split,
        *,
        seed: int,
        epochs: int | None,
        tick: StepCallback,
        record: Callable[[Mapping[str, Any]], None],
        state: State | None,
        choose_by: Split | None = None,
    ) -> Trained:
        """Train ``model`` in place; ``record`` gets one line an epoch."""
        reading, text, epochs = self._begin(model, state), Text(dataset, split), epochs or self.epochs
        if state is not None:
            self._check_place(reading, text, split, epochs)
        while reading.epoch < epochs:
            steps, epoch, step = text.steps(self.batch_size, reading.epoch), reading.epoch, reading.step
            torch.manual_seed(position_seed(seed, "step", epoch, step))
            tokens, targets = split.batch(self.batch_size, epoch, step)
            self._step(reading, text, tokens, targets)
            if step == steps - 1:
                record({"epoch": epoch, "lr": self._rate(epoch), **self._close(reading, dataset, choose_by)})
                reading.turn()
            tick(reading.state_dict, self._shown(reading, steps, epochs))
        return reading.kept(self.keep, epochs - 1)

    def _begin(self, model: nn.Module, state: State | None) -> Reading:
        device = next(model.parameters()).device
        self.check(model, device)
        compile_step: Any = getattr(model, "compile_step", None)
        if self.compile and compile_step is not None:
            compile_step("trainer.compile")
        reading = Reading(model, self.sgd(model.parameters()), Precision(self.precision, device))
        if state is not None:
            resume(reading, state)
        return reading

    def _check_place(self, reading: Reading, text: Text, split: Split, epochs: int) -> None:
        """Raise `StateError` unless a resumed ``reading`` stands in the text, with a state of the network's shape."""
        steps = text.steps(self.batch_size, reading.epoch)
        check_place(reading, reading.epoch, epochs, reading.step, steps)
        if reading.hidden is not None:
            network: Any = reading.model
            tokens, _ = split.batch(self.batch_size, reading.epoch, reading.step)
            check_like(reading.hidden, network.init_hidden(tokens.shape[1]))

    @staticmethod
    def _shown(reading: Reading, steps: int, epochs: int) -> dict[str, Any]:
        epoch = reading.epoch + reading.step / steps
        place = {"phase": "training", "share": epoch / epochs, "epoch": epoch, "step": reading.position}
        return {**place, "loss": reading.loss, "perplexity": reading.perplexity}

    def _rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, for a step of ``bptt`` tokens."""
        return self.lr * self.lr_decay ** max(0, epoch + 1 - self.lr_decay_from)

    def _step(self, reading: Reading, text: Text, tokens: Tensor, targets: Tensor) -> None:
        """Take one step on tokens ``(T, B)`` and go on in the text."""
        rate = self._rate(reading.epoch) * (len(tokens) / text.bptt if self.lr_by_length else 1)
        for group in reading.optimizer.param_groups:
            group["lr"] = rate
        network: Any = reading.model.train()
        reading.optimizer.zero_grad(set_to_none=True)
        hidden = network.init_hidden(tokens.shape[1]) if reading.hidden is None else reading.hidden
        with reading.precision.autocast():
            spoken = network(tokens, hidden)
        loss = text.dataset.loss(widened(spoken.logits), targets)
        reading.precision.backward(loss + self._penalties(spoken))
        reading.precision.step(reading.optimizer, reading.model.parameters(), self.clip)
        reading.add({"loss": loss.detach() * len(targets)}, len(targets))
        reading.carry(spoken.hidden)

    def _penalties(self, spoken: Any) -> Tensor | float:
        """Return what large outputs (AR) and fast changes of them (TAR) of the last layer cost."""
        large = self.activation * widened(spoken.dropped).square().mean() if self.activation else 0.0
        if not self.slowness or len(spoken.raw) < 2:
            return large
        return large + self.slowness * widened(spoken.raw).diff(dim=0).square().mean()

    def _close(self, reading: Reading, dataset: Dataset, split: Split | None) -> dict[str, Any]:
        """End an epoch: validate, keep the weights if they are the best, and average from now on or roll back."""
        try:
            metrics = checked(reading.close(dataset), "in the epoch")
            reading.perplexity = metrics["perplexity"]
            return {**metrics, "averaged": reading.average is not None, **self._choose(reading, dataset, split)}
        except TrialError as error:
            if not self.rollback:
                raise
            return reading.roll_back(error)

    def _choose(self, reading: Reading, dataset: Dataset, split: Split | None) -> dict[str, float]:
        """Return the held-out metrics of the weights that may be kept, and look for the averaging's trigger."""
        if split is None:
            return {}
        with reading.averaged():
            metrics = self.evaluate(reading.model, dataset, split)
            reading.offer(metrics, reading.epoch)
        if self.averaging:
            reading.average_if_stalled(metrics["loss"], self.patience)
        return {f"held_out_{name}": value for name, value in metrics.items()}

    @torch.no_grad()
    def evaluate(self, model: nn.Module, dataset: Dataset, split: Split) -> Metrics:
        """Return the metrics of ``model`` on the whole split, read in up to ``eval_batch_size`` columns."""
        network: Any = model.eval()
        sums: dict[str, Tensor] = {}
        hidden, examples = None, 0
        for step in range(Text(dataset, split).steps(self.eval_batch_size, 0)):
            tokens, targets = split.batch(self.eval_batch_size, 0, step)
            spoken = network(tokens, network.init_hidden(tokens.shape[1]) if hidden is None else hidden)
            hidden, examples = detached(spoken.hidden), examples + len(targets)
            measured = dataset.measure(spoken.logits, targets)
            sums = {name: sums.get(name, 0) + value.double() for name, value in measured.items()}
        metrics = dataset.metrics({name: value.tolist() for name, value in sums.items()}, examples)
        return checked(metrics, "after the last step")


def checked(metrics: Metrics, when: str) -> Metrics:
    """Return ``metrics``, or raise `TrialError` if the loss is no number or one whose perplexity is none."""
    if not math.isfinite(metrics["perplexity"]):
        raise TrialError(f"loss is {metrics['loss']} {when}; lower trainer.lr or trainer.clip")
    return metrics


class Text:
    """A part of a text and its data set, or `RequestError` where the data set is of another task."""

    def __init__(self, dataset: Dataset, split: Any) -> None:
        if dataset.task.kind != "language":
            raise RequestError(
                f"trainer: language models are trained by this one, but the data set's task is {dataset.task.kind}; "
                "choose a data set of text, such as dataset=ptb"
            )
        self.dataset, self.steps = dataset, split.steps
        (self.bptt,) = dataset.task.input_shape
