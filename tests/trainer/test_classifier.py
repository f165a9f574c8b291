"""The recipe of image classifiers: each part does what its setting says."""

import math
from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from nasctl.errors import RunError
from tests.small import Problem, through_a_file, train

STEPS = 3  # of an epoch: 72 images in batches of 32


def test_the_rate_follows_the_cosine_by_epoch():
    problem, rates = Problem("trainer.lr=0.5", "trainer.schedule.lr_min=0.1", "trainer.epochs=4"), []
    hook = register_optimizer_step_pre_hook(lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"]))
    try:
        _, lines = train(problem)
    finally:
        hook.remove()
    expected = [0.1 + 0.4 * (1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)]
    assert expected[0] == 0.5 and expected[2] == pytest.approx(0.3) and expected[3] > 0.1
    assert rates == pytest.approx([rate for rate in expected for _ in range(STEPS)])
    assert [line["lr"] for line in lines] == pytest.approx(expected)


@pytest.mark.parametrize("epochs, ran", [(None, 3), (2, 2), (1, 1)])
def test_epochs_shorten_the_training_and_all_its_schedules(epochs, ran):
    problem = Problem("trainer.epochs=3", "trainer.lr=0.5", "trainer.drop_path=0.6")
    network, lines = train(problem, epochs=epochs)
    assert [line["epoch"] for line in lines] == list(range(ran))
    last = (ran - 1) / ran
    assert lines[-1]["lr"] == pytest.approx(0.25 * (1 + math.cos(math.pi * last)))
    assert network.drop_path.probability == pytest.approx(0.6 * last)


def auxiliary_gradients(weight):
    """Return the gradients of the auxiliary head after one step on 8 images of 32x32, where it fits."""
    problem = Problem(
        "dataset.image_size=32",
        "dataset.limit_train=16",
        f"trainer.auxiliary_weight={weight}",
        "trainer.epochs=1",
    )
    network, _ = train(problem)
    return torch.cat([w.grad.flatten() for w in network.auxiliary.parameters()])


def test_the_auxiliary_weight_scales_the_auxiliary_gradient():
    none, some, twice = (auxiliary_gradients(weight) for weight in (0.0, 0.001, 0.002))
    assert none.abs().max() == 0 < some.abs().max()
    torch.testing.assert_close(twice, 2 * some, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("clip", [0.01, 0.1])
def test_the_gradient_is_clipped_to_its_norm(clip):
    problem = Problem(
        "trainer.batch_size=72", "trainer.epochs=1",  # one step
        "trainer.lr=1", "trainer.momentum=0", "trainer.weight_decay=0", f"trainer.clip={clip}",
    )  # fmt: skip
    network = problem.network()
    before = torch.cat([w.detach().flatten() for w in network.parameters()])
    train(problem, network)
    after = torch.cat([w.detach().flatten() for w in network.parameters()])
    assert (after - before).norm().item() == pytest.approx(clip, rel=1e-3)


@pytest.mark.parametrize("nesterov", [True, False])
def test_two_epochs_are_sgd_written_out(nesterov):
    settings = {"momentum": 0.8, "weight_decay": 0.01, "nesterov": nesterov}
    problem = Problem(
        *(f"trainer.{key}={str(value).lower()}" for key, value in settings.items()),
        "trainer.lr=0.1", "trainer.drop_path=0", "trainer.clip=1e9", "trainer.channels_last=false",
    )  # fmt: skip
    network, expected = problem.network(), problem.network()
    optimizer = torch.optim.SGD(expected.parameters(), 0.1, **settings)
    for epoch in range(2):
        optimizer.param_groups[0]["lr"] = [0.1, 0.05][epoch]
        for step in range(STEPS):
            x, y = problem.data.train().batch(32, epoch, step)
            optimizer.zero_grad()
            nn.functional.cross_entropy(expected.train()(x), y).backward()
            optimizer.step()
    train(problem, network)
    torch.testing.assert_close(network.state_dict(), expected.state_dict(), rtol=1e-4, atol=1e-5)


def test_the_history_is_of_all_examples_of_the_epoch():
    problem = Problem("trainer.lr=1e-12", "trainer.weight_decay=0", "trainer.epochs=1")  # weights all but stand
    network = problem.network()
    still = deepcopy(network).train()
    _, (line,) = train(problem, network)
    with torch.no_grad():
        batches = [problem.data.train().batch(32, 0, step) for step in range(STEPS)]
        losses = [nn.functional.cross_entropy(still(x), y, reduction="sum") for x, y in batches]
    assert line["loss"] == pytest.approx(sum(losses).item() / 72, rel=1e-5)
    assert line["epoch"] == 0 and 0 <= line["error"] <= 100


def test_a_network_that_was_evaluated_before_is_trained_in_training_mode():
    problem = Problem("trainer.epochs=1")
    assert train(problem, problem.network().eval())[1] == train(problem, problem.network())[1]


class Poisoned:
    """A split whose batch at one position holds no numbers."""

    def __init__(self, split, epoch, step):
        self.split, self.position = split, (epoch, step)

    def __len__(self):
        return len(self.split)

    def batch(self, size, epoch, step):
        x, y = self.split.batch(size, epoch, step)
        return (x * math.nan if (epoch, step) == self.position else x), y


@pytest.mark.parametrize("epoch, step", [(0, 0), (0, 2), (1, 1)])
def test_a_loss_that_is_no_number_names_its_step(epoch, step):
    problem = Problem()
    with pytest.raises(RunError, match=rf"training loss is nan at step {epoch * STEPS + step}; lower trainer.lr"):
        train(problem, split=Poisoned(problem.data.train(), epoch, step))


def test_it_names_the_same_step_when_resumed_after_it():
    problem, states = Problem(), []
    poisoned = Poisoned(problem.data.train(), 1, 0)
    with pytest.raises(RunError):
        train(problem, split=poisoned, tick=lambda state, values: states.append(through_a_file(state())))
    with pytest.raises(RunError, match="at step 3;"):
        train(problem, state=states[-1], split=poisoned)
    assert len(states) == STEPS + 2  # the epoch's end finds it


def test_the_tick_shows_how_far_it_is_and_keeps_the_loss_on_the_device():
    problem, seen = Problem(), []
    train(problem, tick=lambda state, values: seen.append(values))
    assert [values["epoch"] for values in seen] == pytest.approx([(i + 1) / STEPS for i in range(2 * STEPS)])
    assert [values["share"] for values in seen] == pytest.approx([(i + 1) / 6 for i in range(6)])
    assert all(isinstance(values["loss"], torch.Tensor) for values in seen)


@pytest.mark.parametrize("size", [7, 32, 500])
def test_evaluation_uses_the_whole_split_in_evaluation_mode(size):
    problem = Problem(f"trainer.eval_batch_size={size}")
    network, _ = train(problem)
    network.drop_path.probability = 0.9  # has no effect in evaluation mode
    metrics = problem.trainer().evaluate(network, problem.data, problem.data.test())
    x, y = problem.data.test().batch(50, 0, 0)
    with torch.no_grad():
        logits = network.eval()(x)
    assert metrics["loss"] == pytest.approx(nn.functional.cross_entropy(logits, y).item(), rel=1e-5)
    right = (logits.argmax(1) == y).float().mean().item()
    assert metrics == {
        "loss": metrics["loss"],
        "error": pytest.approx(100 - 100 * right),
        "accuracy": pytest.approx(right),
    }


def test_evaluation_of_a_broken_network_is_refused():
    problem = Problem()
    network = problem.network()
    nn.init.constant_(network.classifier.bias, math.nan)
    with pytest.raises(RunError, match=r"loss is nan after the last step; lower trainer.lr"):
        problem.trainer().evaluate(network, problem.data, problem.data.test())


@pytest.mark.parametrize("choice", [True, False])
def test_channels_last_is_the_layout_of_weights_and_images(choice):
    problem = Problem(f"trainer.channels_last={str(choice).lower()}", "trainer.epochs=1")
    layers = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)
    network, seen = nn.Sequential(*layers), []
    network[1].register_forward_pre_hook(lambda m, x: seen.extend((m.weight.detach(), *x)))
    train(problem, network)
    problem.trainer().evaluate(network, problem.data, problem.data.val())
    assert {x.is_contiguous(memory_format=torch.channels_last) for x in seen} == {choice}
