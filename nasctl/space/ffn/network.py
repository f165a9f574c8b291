"""The stand-alone feed-forward network, and the embedding of categorical inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import ClassVar

import torch
from pydantic import ConfigDict, PositiveFloat, PositiveInt
from torch import Tensor, nn

from nasctl.core import Task


@dataclass(frozen=True)
class Form:
    """Size: the numbers that a categorical input becomes, and the deviation that they start with."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    embedding: PositiveInt
    embedding_std: PositiveFloat


def numbers(task: Task) -> int:
    """Return how many of the inputs are numbers; the others are ids."""
    return task.input_shape[0] - len(task.categories)


def dense(task: Task, form: Form) -> int:
    """Return the inputs of the first layer: numbers and embedded categories."""
    return numbers(task) + len(task.categories) * form.embedding


class Inputs(nn.Module):
    """Map rows ``(n, inputs)``, numbers then ids, to ``(n, dense)``: numbers, then the embedding of each id.

    One table holds all categories, each with ids of its own.
    """

    starts: Tensor
    tables: nn.Embedding | None

    def __init__(self, task: Task, form: Form) -> None:
        super().__init__()
        self.numbers, self.tables = numbers(task), None
        if task.categories:
            starts = list(accumulate(task.categories, initial=0))
            self.register_buffer("starts", torch.tensor(starts[:-1]), persistent=False)
            self.tables = nn.Embedding(starts[-1], form.embedding)
            nn.init.normal_(self.tables.weight, std=form.embedding_std)

    def forward(self, x: Tensor) -> Tensor:
        if self.tables is None:
            return x
        ids = x[:, self.numbers :].long() + self.starts
        return torch.cat([x[:, : self.numbers], self.tables(ids).flatten(1)], 1)


class Network(nn.Module):
    """Hidden layers of ``widths`` units with ReLU, then a linear one: rows ``(n, inputs)`` to ``(n, outputs)``."""

    def __init__(self, widths: Sequence[int], task: Task, form: Form) -> None:
        super().__init__()
        self.inputs = Inputs(task, form)
        sizes = [dense(task, form), *widths]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.classifier = nn.Linear(sizes[-1], task.num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inputs(x)
        for layer in self.layers:
            x = layer(x).relu()
        outputs: Tensor = self.classifier(x)
        return outputs
