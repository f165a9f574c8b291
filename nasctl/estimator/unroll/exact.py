"""Second order, differentiated through the virtual step.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 2.3, equation 6.
"""

from __future__ import annotations

from torch import Tensor, nn

from nasctl.estimator.unroll._bilevel import Bilevel, Mixtures, Plain, gradient


class Exact(Plain):
    """The validation loss after the virtual step, whose gradient autograd takes through that step.

    Its one training pass is differentiated again, at twice its own cost.
    """

    passes, twice = (3, 1), True

    def loss(self, problem: Bilevel, mixtures: Mixtures, net: nn.Module) -> Tensor:
        weights = problem.weights
        behind = gradient(problem.train(weights, mixtures), list(weights.values()), create_graph=True)
        return problem.val(problem.step(weights, behind), mixtures)
