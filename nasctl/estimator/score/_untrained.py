"""What a zero-cost score is asked, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from nasctl.core import Task


@dataclass(frozen=True)
class Untrained:
    """An architecture at its initialisation; every candidate of a search starts from the same random state."""

    task: Task
    device: torch.device
    network: Callable[[], nn.Module]
    """Returns the network, made anew by each call: a score may change it."""
    cost: Callable[[str], float]
    """Returns what the network costs in a resource that its space counts, as ``params``; no work is done."""
    batch: Callable[[], tuple[Tensor, Tensor]]
    """Returns inputs ``(batch, *input_shape)`` and targets of the training data, the same for every candidate."""
    loss: Callable[[Tensor, Tensor], Tensor]


class Score(Protocol):
    """What an untrained network is worth: higher is better."""

    @property
    def name(self) -> str:
        """Return the name by which records know it."""

    @property
    def reads_data(self) -> bool:
        """Return whether it asks for a batch."""

    @property
    def tasks(self) -> Collection[str] | None:
        """Return the kinds of tasks whose networks it scores, as `nasctl.task_kinds` names them; None for all."""

    def score(self, candidate: Untrained) -> float:
        """Return the score of an architecture; it need not be finite."""
