"""Mixed precision: what runs in half precision, and the scale of the loss."""

import math

import pytest
import torch

from nasctl.errors import RequestError
from nasctl.trainer._precision import Precision, check_precision
from tests.small import CPU, Problem, train


@pytest.mark.parametrize(
    "precision, half", [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_convolutions_run_in_the_precision_and_weights_stay_in_fp32(precision, half, monkeypatch):
    monkeypatch.setattr("nasctl.trainer.classifier.check_precision", lambda name, device: None)  # a CPU can, slowly
    problem, seen = Problem(f"trainer.precision={precision}", "trainer.epochs=1"), {True: set(), False: set()}
    network = problem.network()
    network.stem.first[0].register_forward_hook(lambda module, x, y: seen[module.training].add(y.dtype))
    train(problem, network)
    problem.trainer().evaluate(network, problem.data, problem.data.val())
    assert seen == {True: {half}, False: {torch.float32}}
    assert {w.dtype for w in network.parameters()} == {torch.float32}


def stepped(loss, clip, scale=2.0**16):
    """Return one weight, from 0, after a step of rate 1 on ``loss(weight)``, and the scale after it."""
    weight = torch.nn.Parameter(torch.zeros(()))
    precision, optimizer = Precision("fp16", CPU), torch.optim.SGD([weight], 1.0)
    precision.backward(loss(weight))
    assert weight.grad is not None and precision.scaler.get_scale() == scale
    precision.step(optimizer, [weight], clip)
    return weight.item(), precision.scaler.get_scale()


@pytest.mark.parametrize("clip, moved", [(1.0, 1.0), (100.0, 3.0)])
def test_the_gradient_is_clipped_without_the_scale(clip, moved):
    assert stepped(lambda weight: -3 * weight, clip)[0] == pytest.approx(moved, rel=1e-4)


def test_a_step_whose_gradients_overflow_is_skipped_and_the_scale_halved():
    assert stepped(lambda weight: math.inf * weight, 1.0) == (0.0, 2.0**15)


@pytest.mark.parametrize("name", ["fp32", "bf16"])
def test_nothing_is_scaled_in_fp32_and_bf16(name):
    precision, weight = Precision(name, CPU), torch.nn.Parameter(torch.zeros(()))
    precision.backward(3 * weight)
    assert weight.grad is not None and weight.grad.item() == 3 and precision.state_dict() == {}


@pytest.mark.parametrize("name, device, fits", [("fp16", "cpu", False), ("fp16", "cuda", True), ("bf16", "cpu", True)])
def test_fp16_needs_a_gpu(name, device, fits):
    if fits:
        return check_precision(name, torch.device(device))
    with pytest.raises(RequestError, match=r"trainer\.precision=fp16 needs a GPU"):
        check_precision(name, torch.device(device))
