"""synflow: how much the output of an untrained network depends on its weights, without data.

Tanaka et al. 2020, https://arxiv.org/abs/2006.05467, equation 2, as a score of whole networks by Abdelfattah et al.
2021, https://arxiv.org/abs/2101.08134, section 3.2.
"""

from __future__ import annotations

import torch
from torch import nn

from nasctl.estimator.score._layers import reached
from nasctl.estimator.score._untrained import Untrained
from nasctl.task_kinds import IMAGES, ROWS


class Synflow:
    """A sum over weights; see `synflow`."""

    name, reads_data, tasks = "synflow", False, frozenset((IMAGES, ROWS))

    def score(self, candidate: Untrained) -> float:
        return synflow(candidate.network(), candidate.task.input_shape, candidate.device)


def synflow(network: nn.Module, input_shape: tuple[int, ...], device: torch.device) -> float:
    """Return the sum of w * dR/dw over the weights of convolutions and linear layers, R the summed output.

    One input of ones, absolute values of all parameters, norms left out, double precision: the network is changed.
    """
    network = _without_norms(network).double().eval()
    for parameter in network.parameters():
        parameter.data.abs_()
    ones = torch.ones(1, *input_shape, dtype=torch.float64, device=device)
    network(ones).sum().backward()
    return sum(float((weight.detach() * gradient).sum()) for weight, gradient in reached(network))


def _without_norms(network: nn.Module) -> nn.Module:
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            network.set_submodule(name, nn.Identity())
    return network
