"""No step of a training waits for the device: on a CPU, the calls that would wait on a GPU are forbidden."""

import pytest
import torch

from tests.small import Problem, train

WAITING = ("item", "cpu", "tolist", "numpy", "__bool__", "__int__", "__float__", "__index__")


class StopError(Exception):
    """Ends a training at a tick."""


@pytest.fixture
def no_waiting(monkeypatch):
    """Return a function from which on every call that would wait for a device raises, until the test ends."""

    def refuse(*_):
        raise AssertionError("waited for the device")

    def start():
        for name in WAITING:
            monkeypatch.setattr(torch.Tensor, name, refuse)

    yield start
    monkeypatch.undo()


def two_steps(problem, network):
    """Train for two steps of an epoch of three: all that happens between the waits at the epochs' ends."""
    ticks = []

    def tick(state, values):
        ticks.append(values)
        if len(ticks) == 2:
            raise StopError

    with pytest.raises(StopError):
        train(problem, network, tick=tick)


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("dataset.image_size=32", "trainer.drop_path=0.3", "trainer.auxiliary_weight=0.4"),
        ("trainer.cutout=0.25", "trainer.label_smoothing=0.1", "trainer.ema_decay=0.9", "trainer.accumulate=2"),
        ("trainer.precision=bf16",),
    ],
)
def test_no_step_waits_for_the_device(no_waiting, settings):
    problem = Problem("dataset.augment.search.flip=true", *settings)
    network = problem.network()
    problem.data.train().batch(32, 0, 0)  # digits are read once
    no_waiting()
    two_steps(problem, network)


def test_a_loss_that_waits_for_the_device_is_caught(no_waiting):
    problem = Problem()
    network = problem.network()
    problem.data.train().batch(32, 0, 0)
    problem.data.loss = lambda outputs, targets: outputs.sum() * outputs.sum().item()
    no_waiting()
    with pytest.raises(AssertionError, match="waited"):
        two_steps(problem, network)
