"""Dropout before the classifier: what it drops, where it is off, and networks that have none."""

import pytest
import torch

from nasctl.errors import RequestError
from tests.small import CPU, Problem, same, train
from tests.trainer.test_recipes import small_space


def problem(*overrides, space="enas_macro"):
    made = Problem(*overrides)
    made.space = small_space(space, made.data.task)
    return made


def features(network, count=400):
    """Return what the classifier reads of equal images."""
    seen = []
    hook = network.classifier.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    network(torch.ones(count, 1, 8, 8))
    hook.remove()
    return seen[0]


@pytest.mark.parametrize("space", ["enas_macro", "enas_micro"])
def test_it_drops_features_of_the_classifier_and_rescales_the_rest(space):
    made = problem("trainer.dropout=0.25", "trainer.epochs=1", space=space)
    network, _ = train(made)
    clean, dropped = features(network.eval()), features(network.eval().apply(lambda m: drop(m)))
    alive = clean != 0
    assert alive.any() and (dropped[alive] == 0).double().mean().item() == pytest.approx(0.25, abs=0.05)
    kept = alive & (dropped != 0)
    torch.testing.assert_close(dropped[kept], clean[kept] / 0.75)


def drop(module):
    """Put dropout alone in training."""
    if isinstance(module, torch.nn.Dropout):
        module.train()


def test_off_it_leaves_the_training_as_it_was_and_on_it_does_not():
    runs = [train(problem(*on))[0].state_dict() for on in ((), ("trainer.dropout=0.0",), ("trainer.dropout=0.5",))]
    assert same(runs[0], runs[1]) and not same(runs[0], runs[2])


def test_a_network_without_it_is_refused():
    made = Problem("trainer.dropout=0.5")
    with pytest.raises(RequestError) as refused:
        made.trainer().check(made.network(), CPU)
    assert str(refused.value) == "trainer.dropout=0.5: this network has none; set trainer.dropout=0"
