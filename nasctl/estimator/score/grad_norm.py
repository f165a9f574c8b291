"""grad_norm: how large the gradient of the loss is in an untrained network.

Abdelfattah et al. 2021, https://arxiv.org/abs/2101.08134, section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from nasctl.estimator.score._layers import reached
from nasctl.estimator.score._untrained import Untrained
from nasctl.task_kinds import IMAGES, ROWS


class GradNorm:
    """A sum of norms; see `gradient_norm`."""

    name, reads_data, tasks = "grad_norm", True, frozenset((IMAGES, ROWS))

    def score(self, candidate: Untrained) -> float:
        inputs, targets = candidate.batch()
        return gradient_norm(candidate.network(), inputs, targets, candidate.loss)


def gradient_norm(
    network: nn.Module, inputs: Tensor, targets: Tensor, loss: Callable[[Tensor, Tensor], Tensor]
) -> float:
    """Return the Euclidean norms of the loss's gradient, one a weight tensor, summed over convolutions and linear
    layers.

    One minibatch at the initialisation, norms with the batch's statistics.
    """
    loss(network.train()(inputs), targets).backward()
    return sum(float(gradient.norm()) for _, gradient in reached(network))
