"""Which architectures are feasible, asked of many at once.

Architectures are integer tensors ``(..., decisions)``; the answer is boolean, ``(...)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nasctl.core import Architecture, Chain, Feasible

ENUMERABLE = 100_000  # architectures at most, for an answer of each to be kept
UNKNOWN = -1

FeasibleSet = Callable[[Tensor], Tensor]


def feasible_set(sizes: Sequence[int], feasible: Feasible) -> FeasibleSet:
    """Return the set of the architectures, with ``sizes`` options a decision, that ``feasible`` accepts."""
    chain = feasible.chain()
    return _listed(sizes, Remembered(feasible) if chain is None else Chained(chain))


def covered_set(sizes: Sequence[int], feasible: Feasible) -> FeasibleSet:
    """Return the set of the architectures that the estimator covers, whatever they cost."""
    return _listed(sizes, Remembered(feasible.covers)) if feasible.partial else everything


def _listed(sizes: Sequence[int], judge: FeasibleSet) -> FeasibleSet:
    """Return ``judge`` with an answer of each architecture kept where they are few enough."""
    return Listed(sizes, judge) if math.prod(sizes) <= ENUMERABLE else judge


def everything(archs: Tensor) -> Tensor:
    """Accept every architecture."""
    return torch.ones(archs.shape[:-1], dtype=torch.bool)


class Chained:
    """Adds up the costs of neighbouring decisions."""

    def __init__(self, chain: Chain) -> None:
        self.tables = [torch.tensor(table, dtype=torch.float64) for table in chain.tables]
        self.limit = chain.limit

    def __call__(self, archs: Tensor) -> Tensor:
        options = archs.unbind(-1)
        costs = [table[a, b] for table, a, b in zip(self.tables, options, options[1:], strict=False)]
        return torch.stack(costs).sum(0) <= self.limit


class Listed:
    """Has each architecture judged when it is first met, and keeps an answer for every one of the space."""

    def __init__(self, sizes: Sequence[int], judge: FeasibleSet) -> None:
        self.sizes, self.judge = torch.tensor(sizes), judge
        self.strides = torch.tensor([math.prod(sizes[i + 1 :]) for i in range(len(sizes))])
        self.known = torch.full((math.prod(sizes),), UNKNOWN, dtype=torch.int8)

    def __call__(self, archs: Tensor) -> Tensor:
        places = torch.zeros(archs.shape[:-1], dtype=torch.int64)
        for options, stride in zip(archs.unbind(-1), self.strides.tolist(), strict=True):
            places.add_(options, alpha=stride)
        answers = self.known.index_select(0, places.flatten())
        if bool((answers == UNKNOWN).any()):
            new = places.flatten()[answers == UNKNOWN].unique()
            self.known[new] = self.judge(new[:, None] // self.strides % self.sizes).to(torch.int8)
            answers = self.known.index_select(0, places.flatten())
        return answers.bool().view(places.shape)


class Remembered:
    """Judges each architecture that it meets once."""

    def __init__(self, accepts: Callable[[Architecture], bool]) -> None:
        self.accepts = accepts
        self.known: dict[Architecture, bool] = {}

    def __call__(self, archs: Tensor) -> Tensor:
        answers = [self._judge(tuple(arch)) for arch in archs.flatten(0, -2).tolist()]
        return torch.tensor(answers, dtype=torch.bool).view(archs.shape[:-1])

    def _judge(self, arch: Architecture) -> bool:
        if arch not in self.known:
            self.known[arch] = self.accepts(arch)
        return self.known[arch]
