"""Hinge penalty on the expected cost of the relaxed architecture, above the limit.

Cai et al. 2019 (ProxylessNAS), https://arxiv.org/abs/1812.00332, section 3.2.2; here with a hinge at the limit, so
that nothing is gained below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from nasctl.core import Feasible
from nasctl.errors import RequestError


class Penalty:
    """``weight * sum(max(0, expected / limit - 1))`` over the limits; options are sampled independently of each other.

    ``RequestError`` where the expected cost of relaxed choices is not known, unless ``weight`` is 0.
    """

    def __init__(self, feasible: Feasible, weight: float) -> None:
        limits = feasible.relaxed() if weight else ()
        if limits is None:
            raise RequestError(
                f"strategy.penalty={weight:g}: the expected cost of relaxed choices is not known for this space and "
                "resource; set strategy.penalty=0, and only the architecture that is derived is judged"
            )
        self.weight, self.limits = weight, [chain.limit for chain in limits]
        self.shares = [[torch.tensor(table) / chain.limit for table in chain.tables] for chain in limits]

    def __call__(self, weights: Sequence[Tensor]) -> Tensor:
        """Return the penalty of the relaxed choices' ``weights``, ``(num_options,)`` each, with its graph to them."""
        excess = [(share - 1).clamp(min=0) for share in self._shares(weights)]
        return self.weight * torch.stack(excess).sum() if excess else torch.zeros(())

    def _shares(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """Return the expected cost of the relaxed choices, as a share of each limit."""
        pairs = list(pairwise(weights))
        return [
            torch.stack([a @ table.to(a) @ b for (a, b), table in zip(pairs, tables, strict=True)]).sum()
            for tables in self.shares
        ]

    def facts(self, weights: Sequence[Tensor]) -> Mapping[str, Any]:
        """Return the expected costs in their resources' units, and what feasibility is judged on."""
        if not self.limits:
            return {}
        shares = zip(self._shares(weights), self.limits, strict=True)
        expected = [float(share.detach()) * limit for share, limit in shares]
        return {"relaxed": {"expected_cost": expected, "penalty": self.weight, "judged": "the derived architecture"}}
