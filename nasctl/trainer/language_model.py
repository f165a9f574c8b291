"""Train a recurrent language model by SGD, every regulariser and the averaging of AWD-LSTM a switch.

Merity et al. 2018, https://arxiv.org/abs/1708.02182: the averaging and its trigger in section 3, lengths and rates
in section 5, activation regularisation in section 4.6 after Merity et al. 2017, https://arxiv.org/abs/1708.01009.
The dropouts belong to the network. Liu et al. 2019, https://arxiv.org/abs/1806.09055, train their cells alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from nasctl import task_kinds
from nasctl.core import Dataset, Metrics, RecurrentNetwork, Split, State, Trained, TrainingSession
from nasctl.errors import RequestError, TrialError
from nasctl.hidden_state import detached
from nasctl.seeds import position_seed
from nasctl.task_kinds import TEXT
from nasctl.trainer._evaluation import measured
from nasctl.trainer._network import CompilesStep
from nasctl.trainer._precision import Precision, check_precision
from nasctl.trainer._schedule import Place, Schedule
from nasctl.trainer._state import check_like, check_place, resume
from nasctl.trainer._text_training import TextTraining
from nasctl.trainer._training import widened


class LanguageModel:
    """SGD with clipping; each of the penalties, the decay and the averaging does nothing at 0, 1 or false.

    A network takes tokens ``(T, B)`` and the state before them, and returns ``logits (T * B, V)``, ``hidden``, and
    its last layer's output ``(T, B, H)`` with (``dropped``) and without (``raw``) its dropout; ``init_hidden(B)`` is
    the state of zeros. The state is carried from step to step of an epoch and is part of the checkpoint. All randomness
    of a step is a function of (seed, epoch, step), and nothing inside a step waits for the device, but for fp16.

    After an epoch the network is validated, if there is a part to choose by. Once its loss exceeds the least one of
    all epochs but the last ``patience``, weights are averaged over the steps from then on, and the average is what
    is validated, chosen and tested. With ``rollback`` an epoch whose loss is no finite number is undone: training
    goes on from the best weights, with the next epoch, and history.jsonl and result.json say so.
    """

    held_out = 0.1  # whatever the share: a text has a validation part of its own

    def __init__(
        self,
        *,
        batch_size: PositiveInt,
        eval_batch_size: PositiveInt,
        epochs: PositiveInt,
        lr: PositiveFloat,
        schedule: Callable[[float], Schedule],
        lr_by_length: bool,
        weight_decay: NonNegativeFloat,
        clip: PositiveFloat,
        ar_alpha: NonNegativeFloat,
        tar_beta: NonNegativeFloat,
        averaging: bool,
        patience: PositiveInt,
        rollback: bool,
        keep: Literal["last", "best"],
        precision: Literal["fp32", "bf16", "fp16"],
        compile: bool,
    ) -> None:
        self.batch_size, self.eval_batch_size, self.epochs, self.clip = batch_size, eval_batch_size, epochs, clip
        self.schedule, self.lr_by_length = schedule(lr), lr_by_length
        self.sgd = partial(torch.optim.SGD, lr=lr, weight_decay=weight_decay)
        self.ar_alpha, self.tar_beta = ar_alpha, tar_beta
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

    def fit(self, model: nn.Module, dataset: Dataset, split: Split, session: TrainingSession) -> Trained:
        """Train ``model`` in place; ``session.record`` gets one line an epoch."""
        schedule, stop = session.epochs(self.epochs)
        training, text = self._begin(model, session.state), Text(dataset, split)
        if session.state is not None:
            self._check_place(training, text, split, stop)
        while training.epoch < stop:
            steps, epoch, step = text.steps(self.batch_size, training.epoch), training.epoch, training.step
            torch.manual_seed(position_seed(session.seed, "step", epoch, step))
            tokens, targets = split.batch(self.batch_size, epoch, step)
            rate = self.schedule.rate(Place(epoch, 1, schedule))
            self._step(training, text, tokens, targets, rate)
            if step == steps - 1:
                session.record({"epoch": epoch, "lr": rate, **self._close(training, dataset, session)})
                training.turn()
            session.on_step(training.state_dict, self._shown(training, steps, stop))
        return training.kept(self.keep, stop - 1)

    def _begin(self, model: nn.Module, state: State | None) -> TextTraining:
        device = next(model.parameters()).device
        self.check(model, device)
        if self.compile and isinstance(model, CompilesStep):
            model.compile_step("trainer.compile")
        training = TextTraining(model, self.sgd(model.parameters()), Precision(self.precision, device))
        if state is not None:
            resume(training, state)
        return training

    def _check_place(self, training: TextTraining, text: Text, split: Split, epochs: int) -> None:
        """Raise `StateError` unless a resumed ``training`` stands in the text, with a state of the network's shape."""
        steps = text.steps(self.batch_size, training.epoch)
        check_place(training, training.epoch, epochs, training.step, steps)
        if training.hidden is not None:
            network: Any = training.model
            tokens, _ = split.batch(self.batch_size, training.epoch, training.step)
            check_like(training.hidden, network.init_hidden(tokens.shape[1]))

    @staticmethod
    def _shown(training: TextTraining, steps: int, epochs: int) -> dict[str, Any]:
        epoch = training.epoch + training.step / steps
        place = {"phase": "training", "share": epoch / epochs, "epoch": epoch, "step": training.position}
        return {**place, "loss": training.loss, "perplexity": training.perplexity}

    def _step(self, training: TextTraining, text: Text, tokens: Tensor, targets: Tensor, rate: float) -> None:
        """Take one step on tokens ``(T, B)`` and go on in the text; ``rate`` is that of ``bptt`` tokens."""
        for group in training.optimizer.param_groups:
            group["lr"] = rate * (len(tokens) / text.bptt if self.lr_by_length else 1)
        network: Any = training.model.train()
        training.optimizer.zero_grad(set_to_none=True)
        hidden = network.init_hidden(tokens.shape[1]) if training.hidden is None else training.hidden
        with training.precision.autocast():
            output = network(tokens, hidden)
        loss = text.dataset.loss(widened(output.logits), targets)
        training.precision.backward(loss + self._penalties(output))
        training.precision.step(training.optimizer, training.model.parameters(), self.clip)
        training.add({"loss": loss.detach() * len(targets)}, len(targets))
        training.carry(output.hidden)

    def _penalties(self, output: Any) -> Tensor | float:
        """Return what large outputs (AR) and fast changes of them (TAR) of the last layer cost."""
        large = self.ar_alpha * widened(output.dropped).square().mean() if self.ar_alpha else 0.0
        if not self.tar_beta or len(output.raw) < 2:
            return large
        return large + self.tar_beta * widened(output.raw).diff(dim=0).square().mean()

    def _close(self, training: TextTraining, dataset: Dataset, session: TrainingSession) -> dict[str, Any]:
        """End an epoch: validate, keep the weights if they are the best, and average from now on or roll back."""
        try:
            metrics = checked(training.close(dataset), "in the epoch")
            training.perplexity = metrics["perplexity"]
            return {**metrics, "averaged": training.average is not None, **self._choose(training, dataset, session)}
        except TrialError as error:
            if not self.rollback:
                raise
            return training.roll_back(error)

    def _choose(self, training: TextTraining, dataset: Dataset, session: TrainingSession) -> dict[str, float]:
        """Return the held-out metrics of the weights that may be kept, and look for the averaging's trigger."""
        with training.averaged():
            session.on_epoch(training.epoch)
            if session.choose_by is None:
                return {}
            metrics = self.evaluate(training.model, dataset, session.choose_by)
            training.offer(metrics, training.epoch)
        if self.averaging:
            training.average_if_stalled(metrics["loss"], self.patience)
        return {f"held_out_{name}": value for name, value in metrics.items()}

    @torch.no_grad()
    def evaluate(self, model: nn.Module, dataset: Dataset, split: Split) -> Metrics:
        """Return the metrics of ``model`` on the whole split, read in up to ``eval_batch_size`` columns."""
        outputs = self._outputs(model.eval(), split, Text(dataset, split).steps(self.eval_batch_size, 0))
        return checked(measured(dataset, outputs, torch.float64), "after the last step")

    def _outputs(self, network: Any, split: Split, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield logits and targets of each step; the hidden state is carried from one to the next."""
        hidden = None
        for step in range(steps):
            tokens, targets = split.batch(self.eval_batch_size, 0, step)
            output = network(tokens, network.init_hidden(tokens.shape[1]) if hidden is None else hidden)
            hidden = detached(output.hidden)
            yield output.logits, targets


def checked(metrics: Metrics, when: str) -> Metrics:
    """Return ``metrics``, or raise `TrialError` if the loss is no number or one whose perplexity is none."""
    if not math.isfinite(metrics["perplexity"]):
        raise TrialError(f"loss is {metrics['loss']} {when}; lower trainer.lr or trainer.clip")
    return metrics


class Text:
    """A part of a text and its data set, or `RequestError` where the data set is of another task."""

    def __init__(self, dataset: Dataset, split: Any) -> None:
        task_kinds.check(dataset.task, (TEXT,), "trainer: language models are trained by this one")
        self.dataset, self.steps = dataset, split.steps
        (self.bptt,) = dataset.task.input_shape
