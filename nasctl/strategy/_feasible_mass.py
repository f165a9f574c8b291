"""P(V), the probability that a factorised policy samples a feasible architecture, and its gradient.

Yang et al. 2022, https://arxiv.org/abs/2204.07615, section 4. With ``E[. | V]`` the mean over feasible samples,
the gradient of log P(V) by the logits is ``E[onehot | V] - p``, so a mass comes with ``expected = E[onehot | V]``.
Probabilities are float64, ``(replicas, decisions, options)``; masses ``(replicas,)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from nasctl.core import Chain, Feasible
from nasctl.errors import RequestError
from nasctl.strategy._feasible_set import ENUMERABLE, FeasibleSet
from nasctl.strategy._policy import choose, log_probability, one_hot

NUMBERS = 2**22  # held at once by a chain's sums, at most
CACHED = 64  # replicas whose samples are counted at once, so that they stay in a core's cache


@dataclass(frozen=True)
class Mass:
    """``value`` is P(V) or an estimate; ``value * (expected - p)`` its gradient by the logits."""

    value: Tensor  # (replicas,)
    expected: Tensor  # (replicas, decisions, options)


class FeasibleMass(Protocol):
    """How P(V) is found, from ``uniforms (replicas, decisions + extra, samples)`` in float32."""

    samples: int
    extra: int

    def __call__(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass: ...


class Whole:
    """The mass of the whole space: rejects nothing."""

    samples = extra = 0

    def __call__(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass:
        p = log_probabilities.exp()
        return Mass(p.new_ones(len(p)), p)


class MonteCarlo:
    """Importance sampling: the mean of ``p / q`` over the feasible of ``samples`` draws from a proposal q.

    q is the policy itself, but for a share ``uniform`` of draws that are uniform over the space. Both
    ``value`` and its gradient are unbiased, but for uniforms that are multiples of 2^-24; their ratio, the
    gradient of the logarithm, is consistent.
    """

    def __init__(self, sizes: Sequence[int], members: FeasibleSet, *, samples: int, uniform: float) -> None:
        self.sizes, self.members, self.samples, self.uniform = torch.tensor(sizes), members, samples, uniform
        self.extra = 1 if uniform else 0  # a row that chooses between the two parts of q

    def __call__(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass:
        parts = zip(log_probabilities.split(CACHED), uniforms.split(CACHED), strict=True)
        return joined([self._mass(*part) for part in parts])

    def _mass(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass:
        p, count = log_probabilities.exp(), len(self.sizes)
        archs = choose(p, uniforms[:, :count], self.sizes)
        if self.uniform:
            anywhere = (uniforms[:, :count].double() * self.sizes[:, None]).long()
            archs = torch.where(uniforms[:, count:] < self.uniform, anywhere, archs.transpose(1, 2)).transpose(1, 2)
        weights = self._ratio(log_probabilities, archs) * self.members(archs)
        total = weights.sum(1)
        counts = torch.zeros_like(p).scatter_add_(
            2, archs.transpose(1, 2), weights[:, None].expand(-1, count, -1).contiguous()
        )
        expected = torch.where(total[:, None, None] > 0, counts / total[:, None, None], p)
        return Mass(total / self.samples, expected)

    def _ratio(self, log_probabilities: Tensor, archs: Tensor) -> Tensor:
        """Return p / q of ``archs``, ``(replicas, samples)``."""
        if not self.uniform:
            return torch.ones(archs.shape[:2], dtype=torch.float64)
        log_p, uniform = log_probability(log_probabilities, archs), torch.tensor(self.uniform, dtype=torch.float64)
        log_q = torch.logaddexp(
            log_p + (1 - uniform).log(), (uniform.log() - self.sizes.double().log().sum()).expand_as(log_p)
        )
        return (log_p - log_q).exp()


class Enumeration:
    """Exact, over all architectures: two matrix products with the feasible ones of two halves of the decisions."""

    samples = extra = 0

    def __init__(self, sizes: Sequence[int], members: FeasibleSet) -> None:
        middle = min(range(len(sizes) + 1), key=lambda i: max(math.prod(sizes[:i]), math.prod(sizes[i:])))
        self.left, self.right = list(sizes[:middle]), list(sizes[middle:])
        every = torch.cartesian_prod(*map(torch.arange, sizes)).view(-1, len(sizes))
        self.accepted = members(every).view(math.prod(self.left), -1).double()
        self.indicators = indicators(self.left, max(sizes)), indicators(self.right, max(sizes))

    def __call__(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass:
        p, middle = log_probabilities.exp(), len(self.left)
        left, right = joint(p[:, :middle], self.left), joint(p[:, middle:], self.right)
        left_mass, right_mass = left * (right @ self.accepted.T), right * (left @ self.accepted)
        value = left_mass.sum(1)
        sums = [left_mass @ self.indicators[0], right_mass @ self.indicators[1]]
        return Mass(value, _expected(sums, value, p))


class MeetInTheMiddle:
    """Exact, for a limit on a sum over neighbouring decisions, without visiting every architecture.

    Given the middle decision, the two halves are independent but for the limit: with one half sorted by its
    cost, the mass that fits beside an entry of the other is a cumulative sum. Horowitz and Sahni 1974,
    https://doi.org/10.1145/321812.321823, count subsets so.
    """

    samples = extra = 0

    def __init__(self, sizes: Sequence[int], chain: Chain) -> None:
        self.sizes, self.middle = list(sizes), len(sizes) // 2
        tables = [torch.tensor(table, dtype=torch.float64) for table in chain.tables]
        left, right = _left_costs(tables[: self.middle]), _right_costs(tables[self.middle :], sizes[self.middle])
        self.left_order, self.left_count = _fitting(left, right, chain.limit)
        self.right_order, self.right_count = _fitting(right, left, chain.limit)
        self.before, self.after = list(sizes[: self.middle]), list(sizes[self.middle + 1 :])
        self.indicators = indicators(self.before, max(sizes)), indicators(self.after, max(sizes))
        self.replicas = max(1, NUMBERS // max(left.numel(), right.numel()))

    def __call__(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass:
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
        return Mass(value, _expected(sums, value, p))


def exact(sizes: Sequence[int], members: FeasibleSet, feasible: Feasible) -> FeasibleMass:
    """Return how P(V) is computed exactly, or raise `RequestError` where that is out of reach."""
    chain = feasible.chain()
    if math.prod(sizes) <= ENUMERABLE:
        return Enumeration(sizes, members)
    if chain is not None and work(sizes) <= NUMBERS:
        return MeetInTheMiddle(sizes, chain)
    raise RequestError(
        f"strategy.feasibility=exact: {math.prod(sizes):,} architectures are too many to enumerate, and the limit is "
        "no sum over few neighbouring decisions; choose feasibility=monte_carlo"
    )


def work(sizes: Sequence[int]) -> int:
    """Return how many sums `MeetInTheMiddle` holds for one replica."""
    middle = len(sizes) // 2
    return sizes[middle] * max(math.prod(sizes[:middle]), math.prod(sizes[middle + 1 :]))


def joined(parts: Sequence[Mass]) -> Mass:
    """Return the masses of all replicas, found part by part."""
    return Mass(torch.cat([part.value for part in parts]), torch.cat([part.expected for part in parts]))


def joint(p: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return the probabilities of all combinations of independent decisions, ``(replicas, combinations)``."""
    product = p.new_ones(len(p), 1)
    for decision, size in enumerate(sizes):
        product = (product[:, :, None] * p[:, decision, None, :size]).flatten(1)
    return product


def indicators(sizes: Sequence[int], options: int) -> Tensor:
    """Return what turns masses of combinations into sums over all decisions but one by a matrix product.

    ``(combinations, decisions * options)``: 1 where the combination takes that option in that decision.
    """
    if not sizes:
        return torch.zeros(1, 0, dtype=torch.float64)
    combinations = torch.cartesian_prod(*map(torch.arange, sizes)).view(-1, len(sizes))
    return one_hot(combinations, options).flatten(1)


def _expected(sums: Sequence[Tensor], value: Tensor, p: Tensor) -> Tensor:
    """Return ``sums (replicas, decisions * options)``, joined, over ``value``; ``p`` where nothing is feasible."""
    mass = value[:, None, None]
    return torch.where(mass > 0, torch.cat(list(sums), 1).view_as(p) / mass, p)


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
