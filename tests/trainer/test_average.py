"""The moving average of the weights: its formula, and that it is what is evaluated and kept."""

from copy import deepcopy

import pytest
import torch

from nasctl.trainer._average import Average
from tests.small import Problem, same, train


def snapshots(problem, **settings):
    """Train; return the network, its history, and copies of weights as trained: first, and after each step."""
    network = problem.network()
    trained = [deepcopy(network.state_dict())]
    network, lines = train(
        problem, network, tick=lambda state, values: trained.append(deepcopy(state()["model"])), **settings
    )
    return network, lines, trained


@pytest.mark.parametrize("decay", [0.05, 0.25, 0.9])  # reached at once, after two updates, never
def test_the_average_is_its_formula(decay):
    network, _, trained = snapshots(Problem(f"trainer.ema_decay={decay}", "trainer.lr=0.3"))
    expected = {name: value.double() for name, value in trained[0].items()}
    for n, weights in enumerate(trained[1:]):
        d = min(decay, (1 + n) / (10 + n))
        expected = {name: d * value + (1 - d) * weights[name] for name, value in expected.items()}
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), expected[name], rtol=1e-5, atol=1e-7)
        else:
            assert torch.equal(value, trained[-1][name])  # the norms' counters
    assert not torch.allclose(network.classifier.weight, trained[-1]["classifier.weight"])


def test_running_statistics_are_averaged_with_the_weights():
    network, _, trained = snapshots(Problem("trainer.ema_decay=0.9"))
    names = [name for name in trained[0] if name.endswith("running_var")]
    assert names and all(not torch.equal(network.state_dict()[n], trained[-1][n]) for n in names)


def test_the_held_out_part_is_scored_with_the_averaged_weights_and_training_goes_on_with_the_trained():
    plain, averaged = (Problem("trainer.held_out=0.2", f"trainer.ema_decay={decay}") for decay in (0, 0.99))
    _, lines, trained = snapshots(plain, choose_by=plain.data.val())
    network, others, same_trained = snapshots(averaged, choose_by=averaged.data.val())
    assert same(trained, same_trained)
    assert [line["loss"] for line in lines] == [line["loss"] for line in others]
    assert lines[-1]["held_out_loss"] != others[-1]["held_out_loss"]
    again = averaged.trainer().evaluate(network, averaged.data, averaged.data.val())
    assert again["loss"] == others[-1]["held_out_loss"]


def test_the_averaged_weights_share_no_memory_with_the_network():
    network = Problem().network()
    average = Average(network, 0.9)
    before = deepcopy(average.weights)
    torch.nn.init.zeros_(network.classifier.weight)
    assert same(before, average.weights)
