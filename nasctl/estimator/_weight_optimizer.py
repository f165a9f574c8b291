"""The optimizer of shared weights: SGD, its learning rate, and the virtual step that foresees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat
from torch import Tensor, nn

from nasctl.core import State
from nasctl.errors import RequestError
from nasctl.estimator._schedule import Schedule
from nasctl.estimator._streams import Stream
from nasctl.estimator.unroll._bilevel import VirtualStep, Weights


@dataclass(frozen=True, kw_only=True)
class Sgd:
    """Settings of the node ``optimizer``; the numbers stand in conf/estimator/supernet.yaml."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    lr: PositiveFloat
    lr_min: NonNegativeFloat
    lr_decay: Annotated[float, Field(gt=0, le=1)]
    lr_decay_from: NonNegativeInt
    lr_by_length: bool
    momentum: NonNegativeFloat
    weight_decay: NonNegativeFloat
    clip: PositiveFloat
    virtual_clip: PositiveFloat | None


class WeightOptimizer:
    """Moves ``weights`` along their gradients, clipped, at the rate of the schedule's position."""

    def __init__(self, weights: Mapping[str, nn.Parameter], schedule: Schedule, stream: Stream, settings: Sgd) -> None:
        if settings.lr_by_length and stream.replays:
            raise RequestError(
                "estimator.optimizer.lr_by_length=true is of a text's steps, whose lengths differ; set it to false for "
                "this data set"
            )
        self.weights, self.schedule, self.stream, self.settings = weights, schedule, stream, settings
        decay = settings.weight_decay
        self.sgd = torch.optim.SGD(weights.values(), settings.lr, settings.momentum, weight_decay=decay)

    def rate(self, x: Any) -> float:
        """Return the learning rate of a training step on ``x``, and of the virtual step that foresees it."""
        decay = self.schedule.decay(self.settings.lr_decay, self.settings.lr_decay_from)
        rate = decay * self.schedule.cosine(self.settings.lr, self.settings.lr_min)
        return rate * self.stream.share(x) if self.settings.lr_by_length else rate

    def begin(self, x: Any) -> None:
        """Forget the gradients of the last step, and take the rate of a step on ``x``."""
        for group in self.sgd.param_groups:
            group["lr"] = self.rate(x)
        self.sgd.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Clip the gradients, and move the weights that have one."""
        moved = [weight for weight in self.weights.values() if weight.grad is not None]
        nn.utils.clip_grad_norm_(moved, self.settings.clip)
        self.sgd.step()

    @property
    def has_state(self) -> bool:
        """Return whether a step was taken, so that the momentum lies where later steps read it."""
        return bool(self.sgd.state)

    def virtual_step(self, rate: float | Tensor) -> VirtualStep:
        """Return the step that the weights would take at ``rate``."""
        group = self.sgd.param_groups[0]
        return VirtualStep(rate, group["momentum"], group["weight_decay"], self._momentum(), self.settings.virtual_clip)

    def _momentum(self) -> Weights:
        states = {name: self.sgd.state.get(weight, {}) for name, weight in self.weights.items()}
        found = {name: state.get("momentum_buffer") for name, state in states.items()}
        return {name: buffer for name, buffer in found.items() if buffer is not None}

    def state_dict(self) -> State:
        return self.sgd.state_dict()

    def load_state_dict(self, state: State) -> None:
        self.sgd.load_state_dict(state)
