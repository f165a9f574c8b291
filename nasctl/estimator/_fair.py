"""Strict fairness: every weight step trains each option of each decision equally often.

Chu et al. 2021, https://arxiv.org/abs/1907.01845, section 3.3 and algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from nasctl import walk
from nasctl.core import Candidate, SearchSpace
from nasctl.estimator._sampler import Path, Stateless, generator


class Fair(Stateless):
    """As many paths a step as a decision has options: each decision goes through a random permutation of its own.

    Where decisions differ in their number of options, the largest says how many paths; one with fewer goes through
    its permutations one after the other, across steps, so that the uses of its options never differ by more than
    one. The gradients of a step's paths are summed on one batch before the optimizer moves once: clipping sees the sum.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        choices = walk.fixed(space, "estimator.sampler=fair:", "estimator.sampler=uniform")
        self.options, self.seed = [len(decision.options) for decision in choices.decisions], seed
        self.count = max(self.options)

    def paths(self, sample: Callable[[], Candidate], position: int) -> Sequence[Path]:
        columns = [self._uses(decision, position) for decision in range(len(self.options))]
        return [(Candidate(arch), 1.0) for arch in zip(*columns, strict=True)]

    def _uses(self, decision: int, position: int) -> list[int]:
        """Return the options of a decision in the paths of a step: a window of its endless row of permutations."""
        options = self.options[decision]
        first, start = divmod(position * self.count, options)
        needed = -(-(start + self.count) // options)
        row = [option for k in range(needed) for option in self._permutation(decision, first + k)]
        return row[start : start + self.count]

    def _permutation(self, decision: int, number: int) -> list[int]:
        draw = generator(self.seed, "fair", decision, number)
        order: list[int] = torch.randperm(self.options[decision], generator=draw).tolist()
        return order
