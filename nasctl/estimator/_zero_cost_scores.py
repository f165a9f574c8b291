"""Scores of an untrained network: naswot, synflow and the norm of the gradient. Higher is better.

``inputs`` are ``(batch, *input_shape)``. The network is one that nobody else uses: scoring changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nasctl.errors import RequestError


def naswot(network: nn.Module, inputs: Tensor) -> float:
    """Return log |K_H|, where K_H[i, j] counts the ReLU units that agree on being active for inputs i and j.

    Mellor et al. 2021, https://arxiv.org/abs/2006.04647, section 3: K_H = N_A - d_H, the number of units less
    the Hamming distance of the binary codes. Norms use the batch's statistics; units that the output does not
    depend on are left out. Singular kernels give -inf.
    """
    network.train()
    with _relu_outputs(network) as outputs:
        logits = network(inputs[:2])
        if not outputs:
            raise RequestError(
                "estimator.score=naswot counts ReLU units, but the network has none; choose another score"
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


def synflow(network: nn.Module, input_shape: tuple[int, ...], device: torch.device) -> float:
    """Return the sum of w * dR/dw over the weights of convolutions and linear layers, R the summed output.

    Tanaka et al. 2020, https://arxiv.org/abs/2006.05467, equation 2, as a score of whole networks by
    Abdelfattah et al. 2021, https://arxiv.org/abs/2101.08134, section 3.2: one input of ones, absolute
    values of all parameters, norms left out, double precision.
    """
    network = _without_norms(network).double().eval()
    for parameter in network.parameters():
        parameter.data.abs_()
    ones = torch.ones(1, *input_shape, dtype=torch.float64, device=device)
    network(ones).sum().backward()
    return sum(float((weight.detach() * gradient).sum()) for weight, gradient in _reached(network))


def gradient_norm(
    network: nn.Module, inputs: Tensor, targets: Tensor, loss: Callable[[Tensor, Tensor], Tensor]
) -> float:
    """Return the Euclidean norms of the loss's gradient, one a weight tensor, summed over convolutions and linear
    layers.

    Abdelfattah et al. 2021, https://arxiv.org/abs/2101.08134, section 3.2 (grad_norm): one minibatch at the
    initialisation, norms with the batch's statistics.
    """
    loss(network.train()(inputs), targets).backward()
    return sum(float(gradient.norm()) for _, gradient in _reached(network))


def _without_norms(network: nn.Module) -> nn.Module:
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            network.set_submodule(name, nn.Identity())
    return network


def _reached(network: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield weight and gradient of the convolutions and linear layers that the gradient reached."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module.weight.grad is not None:
            yield module.weight, module.weight.grad
