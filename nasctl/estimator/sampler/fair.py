"""Strict fairness: every weight step trains each option of each decision equally often.

Chu et al. 2021, https://arxiv.org/abs/1907.01845, section 3.3 and algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from nasctl import walk
from nasctl.core import Candidate, SearchSpace
from nasctl.estimator.sampler._paths import Path, Stateless, WeightStep


class Fair(Stateless):
    """As many paths a step as a decision has options: each decision goes through a random permutation of its own.

    Where decisions differ in their number of options, the largest says how many paths; one with fewer goes through
    its permutations one after the other, across steps, so that the uses of its options never differ by more than
    one. The gradients of a step's paths are summed on one batch before the optimizer moves once: clipping sees the sum.
    """

    def check(self, space: SearchSpace) -> None:
        _options(space)

    def paths(self, step: WeightStep) -> Sequence[Path]:
        options = _options(step.space)
        columns = [_uses(step, decision, count, max(options)) for decision, count in enumerate(options)]
        return [(Candidate(arch), 1.0) for arch in zip(*columns, strict=True)]


def _options(space: SearchSpace) -> list[int]:
    """Return the number of options of each decision."""
    choices = walk.fixed(space, "estimator/sampler=fair:", "estimator/sampler=uniform")
    return [len(decision.options) for decision in choices.decisions]


def _uses(step: WeightStep, decision: int, options: int, paths: int) -> list[int]:
    """Return the options of a decision in the paths of a step: a window of its endless row of permutations."""
    first, start = divmod(step.position * paths, options)
    needed = -(-(start + paths) // options)
    row = [option for k in range(needed) for option in _permutation(step, decision, options, first + k)]
    return row[start : start + paths]


def _permutation(step: WeightStep, decision: int, options: int, number: int) -> list[int]:
    order: list[int] = torch.randperm(options, generator=step.generator("fair", decision, number)).tolist()
    return order
