"""naswot: how differently the ReLU units of an untrained network answer the examples of a minibatch.

Mellor et al. 2021, https://arxiv.org/abs/2006.04647, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nasctl.errors import RequestError
from nasctl.estimator.score._untrained import Untrained
from nasctl.task_kinds import IMAGES, ROWS


class Naswot:
    """The logarithm of a determinant; see `naswot`."""

    name, reads_data, tasks = "naswot", True, frozenset((IMAGES, ROWS))

    def score(self, candidate: Untrained) -> float:
        inputs, _ = candidate.batch()
        return naswot(candidate.network(), inputs)


def naswot(network: nn.Module, inputs: Tensor) -> float:
    """Return log |K_H|, where K_H[i, j] counts the ReLU units that agree on being active for inputs i and j.

    K_H = N_A - d_H, the number of units less the Hamming distance of the binary codes. ``inputs`` are
    ``(batch, *input_shape)``. Norms use the batch's statistics; units that the output does not depend on are left
    out. Singular kernels give -inf.
    """
    network.train()
    with _relu_outputs(network) as outputs:
        logits = network(inputs[:2])
        if not outputs:
            raise RequestError(
                "estimator/score=naswot counts ReLU units, but the network has none; choose another score"
            )
        live = [g is not None for g in torch.autograd.grad(logits.sum(), outputs, allow_unused=True)]
    with _relu_outputs(network) as outputs, torch.no_grad():
        network(inputs)
    kernel = torch.zeros(len(inputs), len(inputs), dtype=torch.float64, device=inputs.device)
    for output, used in zip(outputs, live, strict=True):
        kernel += agreements(output) if used else 0
    return float(torch.linalg.slogdet(kernel).logabsdet)


def agreements(activations: Tensor) -> Tensor:
    """Map activations ``(batch, ...)`` to the units ``(batch, batch)`` on whose sign two examples agree."""
    codes = (activations > 0).flatten(1).to(torch.float32)  # exact below 2^24 units a layer
    active = codes.sum(1)
    return 2 * codes @ codes.T - active[:, None] - active[None, :] + codes.shape[1]


@contextmanager
def _relu_outputs(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what each call of a ReLU returns, in the order of the calls."""
    outputs: list[Tensor] = []
    relus = [module for module in network.modules() if isinstance(module, nn.ReLU)]
    hooks = [relu.register_forward_hook(lambda module, given, output: outputs.append(output)) for relu in relus]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()
