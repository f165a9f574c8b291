"""P(V) under a limit on a sum over neighbouring decisions, of spaces too large to enumerate."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from nasctl.core import Chain
from nasctl.strategy.feasibility import Mass
from nasctl.strategy.feasibility._sums import expected, indicators, joined, joint

NUMBERS = 2**22  # held at once by a chain's sums, at most


class MeetInTheMiddle:
    """Exact, for a limit on a sum over neighbouring decisions, without visiting every architecture.

    Given the middle decision, the two halves are independent but for the limit: with one half sorted by its
    cost, the mass that fits beside an entry of the other is a cumulative sum. Horowitz and Sahni 1974,
    https://doi.org/10.1145/321812.321823, count subsets so.
    """

    def __init__(self, sizes: Sequence[int], chain: Chain) -> None:
        self.sizes, self.middle = list(sizes), len(sizes) // 2
        tables = [torch.tensor(table, dtype=torch.float64) for table in chain.tables]
        left, right = _left_costs(tables[: self.middle]), _right_costs(tables[self.middle :], sizes[self.middle])
        self.left_order, self.left_count = _fitting(left, right, chain.limit)
        self.right_order, self.right_count = _fitting(right, left, chain.limit)
        self.before, self.after = list(sizes[: self.middle]), list(sizes[self.middle + 1 :])
        self.indicators = indicators(self.before, max(sizes)), indicators(self.after, max(sizes))
        self.replicas = max(1, NUMBERS // max(left.numel(), right.numel()))

    def __call__(self, log_probabilities: Tensor) -> Mass:
        return joined([self._mass(part.exp()) for part in log_probabilities.split(self.replicas)])

    def _mass(self, p: Tensor) -> Mass:
        left, right = joint(p[:, : self.middle], self.before), joint(p[:, self.middle + 1 :], self.after)
        options = self.sizes[self.middle]
        centre = p[:, self.middle, :options, None]
        left_mass = left[:, None] * _sums(right, self.right_order, self.right_count) * centre
        right_mass = right[:, None] * _sums(left, self.left_order, self.left_count) * centre
        by_centre = left_mass.sum(2)
        padded = torch.nn.functional.pad(by_centre, (0, p.shape[2] - options))
        sums = [left_mass.sum(1) @ self.indicators[0], padded, right_mass.sum(1) @ self.indicators[1]]
        value = by_centre.sum(1)
        return Mass(value, expected(sums, value, p))


def work(sizes: Sequence[int]) -> int:
    """Return how many sums `MeetInTheMiddle` holds for one replica."""
    middle = len(sizes) // 2
    return sizes[middle] * max(math.prod(sizes[:middle]), math.prod(sizes[middle + 1 :]))


def _left_costs(tables: Sequence[Tensor]) -> Tensor:
    """Return the costs ``(middle option, combination)`` of the decisions before the middle."""
    costs = tables[0]
    for table in tables[1:]:
        costs = (costs[:, :, None] + table).flatten(0, 1)
    return costs.T


def _right_costs(tables: Sequence[Tensor], options: int) -> Tensor:
    """Return the costs ``(middle option, combination)`` of the decisions after the middle."""
    if not tables:
        return torch.zeros(options, 1, dtype=torch.float64)
    costs = tables[0][:, None]
    for table in tables[1:]:
        costs = (costs[..., None] + table).flatten(1, 2)
    return costs.flatten(1)


def _fitting(costs: Tensor, others: Tensor, limit: float) -> tuple[Tensor, Tensor]:
    """Return the order of ``costs`` in each row, and how many of them fit beside each of ``others``."""
    ordered, order = costs.contiguous().sort(1)
    return order, torch.searchsorted(ordered, (limit - others).contiguous(), right=True)


def _sums(probabilities: Tensor, order: Tensor, count: Tensor) -> Tensor:
    """Return the mass of the first ``count (middle, others)`` entries in ``order (middle, combinations)``."""
    sums = probabilities[:, order].cumsum(2)
    return torch.nn.functional.pad(sums, (1, 0)).gather(2, count.expand(len(sums), -1, -1))
