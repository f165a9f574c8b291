"""Train an image classifier by SGD, every trick of the published recipes a switch.

The recipe of Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 3.1.2 and appendix A.3; drop path as
scheduled by Zoph et al. 2018, https://arxiv.org/abs/1707.07012, appendix A; label smoothing of Szegedy et al. 2016,
https://arxiv.org/abs/1512.00567, section 7. What else can be switched names its source in its own module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from nasctl.acceleration.compiled import Compilation
from nasctl.acceleration.cuda_graph import Graph, graphs_fit
from nasctl.core import Dataset, Metrics, RecurrentNetwork, Split, State, Trained, TrainingSession
from nasctl.errors import RequestError, TrialError
from nasctl.seeds import position_seed
from nasctl.trainer._average import Average
from nasctl.trainer._cutout import Cutout
from nasctl.trainer._evaluation import measured
from nasctl.trainer._network import part
from nasctl.trainer._precision import Precision, check_precision
from nasctl.trainer._schedule import Place, Schedule
from nasctl.trainer._state import check_place, resume
from nasctl.trainer._training import Training, widened

Gradients = Callable[[Tensor, Tensor], tuple[dict[str, Tensor], list[Tensor | None]]]
"""Maps inputs and targets to summed measures and the gradient of each weight."""

Share = Annotated[float, Field(ge=0, lt=1)]


class Classifier:
    """SGD on a schedule, clipping, and the tricks; each of them does nothing at 0, false, fp32 or 1.

    A network offers ``drop_path``, ``dropout`` and ``auxiliary`` (its head, or None) if it has them. All randomness
    of a step is a function of (seed, step), so a run resumed in the middle of an epoch goes on as it would have.
    Nothing inside a step waits for the device, but for fp16, which must know whether gradients overflowed.
    """

    def __init__(
        self,
        *,
        batch_size: PositiveInt,
        accumulate: PositiveInt,
        eval_batch_size: PositiveInt,
        epochs: PositiveInt,
        lr: PositiveFloat,
        schedule: Callable[[float], Schedule],
        momentum: Share,
        nesterov: bool,
        weight_decay: NonNegativeFloat,
        clip: PositiveFloat,
        cutout: Share,
        cutout_at: Literal["centre", "corner"],
        label_smoothing: Share,
        dropout: Share,
        drop_path: Share,
        drop_path_by: Literal["epoch", "step"] | None,
        drop_path_by_depth: bool,
        auxiliary_weight: NonNegativeFloat,
        ema_decay: Share,
        held_out: Share,
        keep: Literal["last", "best"],
        precision: Literal["fp32", "bf16", "fp16"],
        channels_last: bool,
        compile: bool,
        cuda_graph: bool,
    ) -> None:
        if keep == "best" and not held_out:
            raise RequestError(
                "trainer.keep=best has nothing to choose by; set trainer.held_out, as trainer.held_out=0.1"
            )
        self.batch_size, self.accumulate, self.eval_batch_size = batch_size, accumulate, eval_batch_size
        self.epochs, self.clip = epochs, clip
        self.schedule = schedule(lr)
        self.sgd = partial(torch.optim.SGD, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
        self.cutout, self.cutout_at, self.dropout = cutout, cutout_at, dropout
        self.label_smoothing, self.auxiliary_weight = label_smoothing, auxiliary_weight
        self.drop_path, self.drop_path_by_depth, self.ema_decay = drop_path, drop_path_by_depth, ema_decay
        self.drop_path_by = drop_path_by or self.schedule.by
        self.held_out, self.keep, self.precision = held_out, keep, precision
        self.compile, self.cuda_graph = compile, cuda_graph
        self.format = torch.channels_last if channels_last else torch.contiguous_format

    def check(self, model: nn.Module, device: torch.device) -> None:
        """Raise `RequestError` if the recipe asks for what ``model`` or ``device`` lacks."""
        check_precision(self.precision, device)
        if isinstance(model, RecurrentNetwork):
            raise RequestError(
                "trainer: classifiers are trained by this one, but the network is a language model; choose "
                "trainer=language_model or one of its presets, such as trainer=awd_lstm"
            )
        if self.drop_path and part(model, "drop_path") is None:
            raise RequestError(f"trainer.drop_path={self.drop_path}: this network has none; set trainer.drop_path=0")
        if self.dropout and part(model, "dropout") is None:
            raise RequestError(f"trainer.dropout={self.dropout}: this network has none; set trainer.dropout=0")
        if self.auxiliary_weight and part(model, "auxiliary") is None:
            raise RequestError(
                f"trainer.auxiliary_weight={self.auxiliary_weight}: this network has no auxiliary head, for lack of a "
                "map that is large enough or because its form has none; set trainer.auxiliary_weight=0"
            )

    def fit(self, model: nn.Module, dataset: Dataset, split: Split, session: TrainingSession) -> Trained:
        """Train ``model`` in place; ``session.record`` gets one line an epoch."""
        device = next(model.parameters()).device
        self.check(model, device)
        schedule, stop = session.epochs(self.epochs)
        training, gradients = self._begin(model, dataset, device, session.state)
        cut = Cutout(self.cutout, session.seed, device, self.cutout_at)
        steps = math.ceil(len(split) / self.batch_size)
        if session.state is not None:
            epoch, step = divmod(training.position, steps)
            check_place(training, epoch, stop, step, steps)
        while training.position < stop * steps:
            position = training.position
            epoch, step = divmod(position, steps)
            rate = self._set_rate(training, steps, schedule)
            torch.manual_seed(position_seed(session.seed, "step", position))
            x, y = split.batch(self.batch_size, epoch, step)
            training.add(self._step(training, gradients, cut(x, position), y), len(y))
            if step == steps - 1:
                line = {**training.close(dataset), **self._close(training, dataset, session, epoch)}
                session.record({"epoch": epoch, "lr": rate, **line})
            session.on_step(training.state_dict, self._shown(training, steps, stop))
        return training.finish(self.keep, stop - 1)

    def _begin(
        self, model: nn.Module, dataset: Dataset, device: torch.device, state: State | None
    ) -> tuple[Training, Gradients]:
        """Return the state of a training, and what maps a batch to its gradients."""
        model.to(memory_format=self.format)
        if self.dropout:
            dropout: Any = model.dropout
            dropout.p = self.dropout
        average = Average(model, self.ema_decay) if self.ema_decay else None
        training = Training(model, self.sgd(model.parameters()), Precision(self.precision, device), average)
        if state is not None:
            resume(training, state)
        network = Compilation(model, "trainer.compile") if self.compile else model
        gradients = partial(self._gradients, training, network, dataset)
        if not (self.cuda_graph and graphs_fit(device, "trainer.cuda_graph")):
            return training, gradients
        if self.drop_path:
            drop_path: Any = model.drop_path
            drop_path.probability = torch.zeros((), device=device)
        return training, Graph(gradients, "trainer.cuda_graph", lambda: list(model.buffers()))

    @staticmethod
    def _shown(training: Training, steps: int, epochs: int) -> dict[str, Any]:
        epoch = training.position / steps
        place = {"phase": "training", "share": epoch / epochs, "epoch": epoch, "step": training.position}
        return {**place, "loss": training.loss, "error": training.error}

    def _set_rate(self, training: Training, steps: int, epochs: int) -> float:
        """Set and return the learning rate of the step to come, and set its drop path."""
        place = Place(training.position, steps, epochs)
        rate = self.schedule.rate(place)
        for group in training.optimizer.param_groups:
            group["lr"] = rate
        if self.drop_path:
            self._set_drop_path(training, float(place.done(self.drop_path_by)))
        return rate

    def _set_drop_path(self, training: Training, done: float) -> None:
        drop_path: Any = training.model.drop_path
        drop_path.by_depth = self.drop_path_by_depth
        if isinstance(drop_path.probability, Tensor):
            drop_path.probability.fill_(self.drop_path * done)
        else:
            drop_path.probability = self.drop_path * done

    def _step(self, training: Training, gradients: Gradients, x: Tensor, y: Tensor) -> Mapping[str, Tensor]:
        """Take one step on a batch; return the summed measures."""
        training.model.train()
        sums, found = gradients(self._laid_out(x), y)
        for weight, gradient in zip(training.model.parameters(), found, strict=True):
            weight.grad = gradient
        training.precision.step(training.optimizer, training.model.parameters(), self.clip)
        return {name: value.clone() for name, value in sums.items()}  # a graph's next replay overwrites its results

    def _gradients(
        self, training: Training, network: Callable[[Tensor], Any], dataset: Dataset, x: Tensor, y: Tensor
    ) -> tuple[dict[str, Tensor], list[Tensor | None]]:
        """Return the summed measures and the weights' gradients of a batch, run in ``accumulate`` parts."""
        training.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for inputs, targets in zip(x.chunk(self.accumulate), y.chunk(self.accumulate), strict=True):
            logits, loss = self._forward(training.precision, network, dataset, inputs, targets)
            training.precision.backward(loss * (len(targets) / len(y)))
            measured = dataset.measure(logits.detach(), targets)
            sums = {name: sums[name] + value if sums else value for name, value in measured.items()}
        return sums, [weight.grad for weight in training.model.parameters()]

    def _forward(
        self, precision: Precision, network: Callable[[Tensor], Any], dataset: Dataset, x: Tensor, y: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return logits ``(n, outputs)``, half precision widened, and the training loss."""
        with precision.autocast():
            outputs = network(x)
        logits, *auxiliary = (widened(o) for o in (outputs if isinstance(outputs, tuple) else (outputs,)))
        loss = self._loss(dataset, logits, y)
        for extra in auxiliary:
            loss = loss + self.auxiliary_weight * self._loss(dataset, extra, y)
        return logits, loss

    def _loss(self, dataset: Dataset, logits: Tensor, y: Tensor) -> Tensor:
        """Return the loss against targets of which ``label_smoothing`` is spread evenly over all classes."""
        loss = dataset.loss(logits, y)
        if not self.label_smoothing:
            return loss
        if logits.shape[1] == 1:
            raise RequestError("trainer.label_smoothing spreads a target over classes, of which there is one; set 0")
        return (1 - self.label_smoothing) * loss - self.label_smoothing * log_softmax(logits, 1).mean()

    def _close(self, training: Training, dataset: Dataset, session: TrainingSession, epoch: int) -> dict[str, float]:
        """Return the held-out metrics of the weights that may be kept, and keep them if they are the best."""
        with training.averaged():
            session.on_epoch(epoch)
            if session.choose_by is None:
                return {}
            metrics = self.evaluate(training.model, dataset, session.choose_by)
            training.offer(metrics, epoch)
        return {f"held_out_{name}": value for name, value in metrics.items()}

    def _laid_out(self, x: Tensor) -> Tensor:
        return x.contiguous(memory_format=self.format) if x.dim() == 4 else x  # only images have channels

    @torch.no_grad()
    def evaluate(self, model: nn.Module, dataset: Dataset, split: Split) -> Metrics:
        model.eval()
        batches = (split.batch(self.eval_batch_size, 0, step) for step in range(self._steps(split)))
        metrics = measured(dataset, ((model(self._laid_out(x)), y) for x, y in batches))
        if not math.isfinite(metrics["loss"]):
            raise TrialError(f"loss is {metrics['loss']} after the last step; lower trainer.lr or trainer.clip")
        return metrics

    def _steps(self, split: Split) -> int:
        """Return the number of batches in which a split is evaluated."""
        return math.ceil(len(split) / self.eval_batch_size)
