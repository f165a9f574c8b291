"""P(V) of a small space, over all architectures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from nasctl.strategy.feasibility import Mass
from nasctl.strategy.feasibility._set import FeasibleSet
from nasctl.strategy.feasibility._sums import expected, indicators, joint


class Enumeration:
    """Exact, over all architectures: two matrix products with the feasible ones of two halves of the decisions."""

    def __init__(self, sizes: Sequence[int], members: FeasibleSet) -> None:
        middle = min(range(len(sizes) + 1), key=lambda i: max(math.prod(sizes[:i]), math.prod(sizes[i:])))
        self.left, self.right = list(sizes[:middle]), list(sizes[middle:])
        every = torch.cartesian_prod(*map(torch.arange, sizes)).view(-1, len(sizes))
        self.accepted = members(every).view(math.prod(self.left), -1).double()
        self.indicators = indicators(self.left, max(sizes)), indicators(self.right, max(sizes))

    def __call__(self, log_probabilities: Tensor) -> Mass:
        p, middle = log_probabilities.exp(), len(self.left)
        left, right = joint(p[:, :middle], self.left), joint(p[:, middle:], self.right)
        left_mass, right_mass = left * (right @ self.accepted.T), right * (left @ self.accepted)
        value = left_mass.sum(1)
        sums = [left_mass @ self.indicators[0], right_mass @ self.indicators[1]]
        return Mass(value, expected(sums, value, p))
