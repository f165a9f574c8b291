"""Checks that a state was written by such a training: a checkpoint may be damaged, or come from a stranger.

A fault that a step, or the end of an epoch, would meet later is found before the first step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nasctl.core import State
from nasctl.errors import StateError
from nasctl.trainer._training import Best, Training


def resume(training: Training, state: State) -> None:
    """Have ``training`` go on from ``state``, or raise `StateError` where that is of no such training."""
    try:
        _check(training, state)
        settings = [dict(group) for group in training.optimizer.param_groups]
        training.load_state_dict(state)
        for group, mine in zip(training.optimizer.param_groups, settings, strict=True):
            group |= {name: mine[name] for name in mine.keys() - group.keys()}  # younger than the state
    except torch.OutOfMemoryError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
        raise StateError(f"{type(error).__name__}: {error}") from error


def check_place(training: Training, epoch: int, epochs: int, step: int, steps: int) -> None:
    """Raise `StateError` unless ``step`` is one of ``epoch``, all before it measured, or the training is at its end."""
    if epoch > epochs or not 0 <= step < (steps if epoch < epochs else 1):
        raise StateError(f"it stands at step {step:,} of {steps:,} in epoch {epoch:,} of {epochs:,}")
    if len(training.measured) != step:
        raise StateError(f"it stands at step {step:,} of an epoch, and has measured {len(training.measured):,}")


def check_like(found: Any, fresh: Any) -> None:
    """Raise `StateError` unless the hidden state of a network has the shape of a ``fresh`` one."""
    if isinstance(fresh, Tensor):
        alike = isinstance(found, Tensor) and found.shape == fresh.shape and found.is_floating_point()
    else:
        alike = isinstance(found, list | tuple) and len(found) == len(fresh)
    if not alike:
        raise StateError("the hidden state is not of the network's shape")
    if not isinstance(fresh, Tensor):
        for part, other in zip(found, fresh, strict=True):
            check_like(part, other)


def _check(training: Training, state: State) -> None:
    require(isinstance(state, dict), "the state")
    _check_weights(state["model"], training.model, "model")
    _check_optimizer(state["optimizer"], training.optimizer)
    _check_numbers(state["precision"], "precision")
    if (average := state["average"]) is not None:
        require(isinstance(average, Mapping), "average")
        _check_weights(average["weights"], training.model, "average")
        for name in average.keys() - {"weights"}:
            require(is_count(average[name]), f"average.{name}")
    _check_best(state["best"], training.model)
    _check_numbers(state.get("held_out", {}), "held_out")
    require(is_count(state["position"]), "position")
    _check_measured(state["measured"], state["examples"])


def _check_weights(weights: Any, model: nn.Module, place: str) -> None:
    own = model.state_dict()
    require(isinstance(weights, Mapping) and weights.keys() == own.keys(), place)
    for name, value in own.items():
        found = weights[name]
        alike = isinstance(found, Tensor) and (found.shape, found.dtype) == (value.shape, value.dtype)
        require(alike, f"{place}.{name}")


def _check_optimizer(state: Any, optimizer: torch.optim.Optimizer) -> None:
    """Raise ValueError unless all settings but the rate are those of ``optimizer``, and momenta of its weights."""
    require(isinstance(state, Mapping), "optimizer")
    own = optimizer.state_dict()["param_groups"]
    require(isinstance(state["param_groups"], list) and len(state["param_groups"]) == len(own), "optimizer")
    for group, mine in zip(state["param_groups"], own, strict=True):
        require(is_number(group["lr"]) and group["params"] == mine["params"], "optimizer.param_groups")
        for name in (mine.keys() & group.keys()) - {"lr", "params"}:
            require(type(group[name]) is type(mine[name]) and group[name] == mine[name], f"optimizer.{name}")
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for index, kept in state["state"].items():
        require(type(index) is int and 0 <= index < len(weights) and isinstance(kept, Mapping), "optimizer.state")
        for value in kept.values():
            alike = isinstance(value, Tensor) and value.is_floating_point() and value.shape == weights[index].shape
            require(value is None or alike, f"optimizer.state.{index}")


def _check_best(best: Any, model: nn.Module) -> None:
    require(isinstance(best, Mapping) and best.keys() <= vars(Best()).keys(), "best")
    score = best["score"]
    require(isinstance(score, list | tuple) and len(score) == 2 and all(map(is_number, score)), "best.score")
    require(type(best["epoch"]) is int and best["epoch"] >= -1, "best.epoch")
    if best["weights"] is not None:
        _check_weights(best["weights"], model, "best.weights")
    _check_numbers(best.get("metrics", {}), "best.metrics")
    require(isinstance(best.get("averaged", False), bool), "best.averaged")


def _check_measured(measured: Any, examples: Any) -> None:
    require(isinstance(measured, list) and isinstance(examples, list), "measured")
    require(len(measured) == len(examples), "examples")
    require(all(is_count(count) and count for count in examples), "examples")
    for step in measured:
        require(isinstance(step, Mapping) and step.keys() == measured[0].keys(), "measured")
        for value in step.values():
            require(isinstance(value, Tensor) and value.shape == () and not value.is_complex(), "measured")


def _check_numbers(values: Any, place: str) -> None:
    require(isinstance(values, Mapping) and all(map(is_number, values.values())), place)


def require(right: bool, place: str) -> None:
    """Raise ValueError, which names ``place``, unless what stands there is ``right``."""
    if not right:
        raise ValueError(f"{place} is not that of such a training")


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_count(value: Any) -> bool:
    return type(value) is int and value >= 0
