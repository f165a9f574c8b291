"""First order: the validation loss at today's weights.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 2.3, xi = 0.
"""

from __future__ import annotations

from torch import Tensor, nn

from nasctl.estimator.unroll._bilevel import Bilevel, Mixtures, Plain


class FirstOrder(Plain):
    """No step is looked ahead; one pass over the validation batch."""

    passes, twice = (0, 1), False

    def loss(self, problem: Bilevel, mixtures: Mixtures, net: nn.Module) -> Tensor:
        return problem.val({name: w.detach() for name, w in problem.weights.items()}, mixtures)
