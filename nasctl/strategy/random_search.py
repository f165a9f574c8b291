"""Random search: the baseline that every method has to beat at equal cost.

Li and Talwalkar 2019, https://arxiv.org/abs/1902.07638.
"""

from __future__ import annotations

from nasctl.core import Candidate
from nasctl.strategy._black_box import BlackBox


class RandomSearch(BlackBox):
    """Evaluate architectures sampled uniformly from the feasible ones; derive the best."""

    def ask(self) -> Candidate:
        return self.sample()
