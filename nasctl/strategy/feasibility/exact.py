"""Rejection of infeasible samples, with P(V) computed exactly.

Yang et al. 2022 (TabNAS), https://arxiv.org/abs/2204.07615, section 4. The space is enumerated, or the limit is a sum
over few neighbouring decisions.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from nasctl.errors import RequestError
from nasctl.strategy.feasibility import FeasibleSets, Mass
from nasctl.strategy.feasibility._enumeration import Enumeration
from nasctl.strategy.feasibility._meet_in_the_middle import NUMBERS, MeetInTheMiddle, work
from nasctl.strategy.feasibility._set import ENUMERABLE


class Exact:
    """Enumerates the space, or meets in the middle of the decisions."""

    rejects = exact = True
    samples = extra = 0

    def __init__(self, sets: FeasibleSets) -> None:
        self.way = way(sets)

    def mass(self, log_probabilities: Tensor, uniforms: Tensor) -> Mass:
        return self.way(log_probabilities)


def way(sets: FeasibleSets) -> Callable[[Tensor], Mass]:
    """Return how P(V) is computed exactly, or raise `RequestError` where that is out of reach."""
    chain = sets.feasible.chain()
    if math.prod(sets.sizes) <= ENUMERABLE:
        return Enumeration(sets.sizes, sets.members)
    if chain is not None and work(sets.sizes) <= NUMBERS:
        return MeetInTheMiddle(sets.sizes, chain)
    raise RequestError(
        f"strategy/feasibility=exact: {math.prod(sets.sizes):,} architectures are too many to enumerate, and the limit "
        "is no sum over few neighbouring decisions; choose strategy/feasibility=monte_carlo"
    )
