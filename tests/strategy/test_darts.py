"""The DARTS strategy: Adam on the softmax of the rows, and nothing of the graph is kept."""

import gc
import weakref

import pytest
import torch

from nasctl.core import Candidate, Evaluation, Trial
from nasctl.errors import RunError
from tests.strategy.conftest import composed

COSTS = torch.tensor(
    [
        [0.3, -1.0, 0.5, 0.1],
        [2.0, 1.0, 0.0, -0.5],
        [0.0, 0.0, 0.0, 0.1],
        [1.0, -1.0, 1.0, -2.0],
        [0.1, 0.2, 0.3, 0.4],
    ]
)


def tell(strategy, index=0):
    """Ask, and tell a loss that is linear in the weights."""
    candidate = strategy.ask()
    loss = (torch.stack(list(candidate.weights)) * COSTS).sum()
    strategy.tell(Trial(index, candidate, Evaluation({}, loss), reward=-float(loss.detach())))


@pytest.mark.parametrize("changes", [{}, {"weight_decay": 0.5, "init_std": 1.0, "lr": 0.01}])
def test_a_step_is_adams_on_the_softmax(strategy, changes):
    tried, settings = strategy("darts", **changes), composed("darts") | changes
    beta1, beta2 = settings["betas"]
    x = tried.logits.detach().double().view(5, 4)
    m, v = torch.zeros_like(x), torch.zeros_like(x)
    for t in range(1, 6):
        tell(tried)
        s = x.exp() / x.exp().sum(1, keepdim=True)
        gradient = s * (COSTS - (s * COSTS).sum(1, keepdim=True)) + settings["weight_decay"] * x
        m = beta1 * m + (1 - beta1) * gradient
        v = beta2 * v + (1 - beta2) * gradient**2
        x = x - settings["lr"] * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + 1e-8)
        torch.testing.assert_close(tried.logits.detach().double().view(5, 4), x, rtol=1e-4, atol=1e-8)


def test_the_best_options_of_a_linear_loss_are_found(strategy):
    tried = strategy("darts", lr=0.1)
    assert tried.derive() != tuple(COSTS.argmin(1).tolist())
    for _ in range(200):
        tell(tried)
    weights = torch.stack(tried.sample().weights)
    assert tried.derive() == tried.sample().arch == tuple(COSTS.argmin(1).tolist())
    assert (weights.argmax(1) == COSTS.argmin(1)).all()
    assert weights[3].max() > 0.9


def test_rows_start_nearly_even_and_as_the_yaml_spreads_them(strategy):
    even = torch.stack(strategy("darts", init_std=0.0).sample().weights)
    assert torch.equal(even, torch.full((5, 4), 0.25))
    logits = strategy("darts", init_std=10.0).logits
    assert 5 < float(logits.detach().std()) < 15


def test_no_graph_outlives_the_trial(strategy):
    tried = strategy("darts")
    candidate = tried.ask()
    activation = torch.ones(3, requires_grad=True) * candidate.weights[0].sum()
    loss = activation.sum()
    kept = [weakref.ref(tensor) for tensor in (loss, activation, *candidate.weights)]
    tried.tell(Trial(0, candidate, Evaluation({}, loss), reward=0.0))
    assert not tried.logits.grad.requires_grad
    del candidate, activation, loss
    gc.collect()
    assert [ref() for ref in kept] == [None] * len(kept)


def test_the_weights_in_the_graph_get_no_gradient(strategy):
    tried = strategy("darts")
    candidate, weight = tried.ask(), torch.ones(4, requires_grad=True)
    tried.tell(Trial(0, candidate, Evaluation({}, (weight * candidate.weights[0]).sum()), reward=0.0))
    assert weight.grad is None


@pytest.mark.parametrize("evaluation", [None, Evaluation({"loss": 1.0})])
def test_a_trial_without_a_loss_ends_the_search(strategy, evaluation):
    tried = strategy("darts")
    trial = Trial(3, Candidate(tried.derive()), evaluation, reward=0.0, error="diverged")
    with pytest.raises(RunError, match="trial 3 brought no loss to follow: diverged"):
        tried.tell(trial)
