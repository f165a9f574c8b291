"""What a zero-cost score is asked, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable
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

    name: str
    reads_data: bool  # asks for a batch
    tasks: frozenset[str] | None  # kinds of data whose networks it scores; None for all of them

    def score(self, candidate: Untrained) -> float:
        """Return the score of an architecture; it need not be finite."""
