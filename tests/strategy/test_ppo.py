"""PPO: its loss and gradient by hand, several passes over one batch, and that it learns."""

import pytest
import torch

from nasctl.core import Candidate, Evaluation, Trial
from nasctl.errors import RequestError
from tests.strategy.controller import micro
from tests.strategy.table import Growing, Table, play


def learn(tried, rewards):
    asked = [tried.ask().arch for _ in rewards]
    for arch, reward in zip(asked, rewards, strict=True):
        tried.tell(Trial(0, Candidate(arch), Evaluation({}), reward=reward))
    return asked


def by_hand(logits, old, archs, advantages, clip, weight):
    """Return the objective of independent logits, one decision of one walk after the other."""
    terms = []
    for arch, advantage in zip(archs, advantages, strict=True):
        for i, option in enumerate(arch):
            p, before = logits[i].softmax(0), old[i].softmax(0)[option]
            ratio = p[option] / before
            kept = max(min(float(ratio.detach()), 1 + clip), 1 - clip)
            unclipped, clipped = ratio * advantage, (ratio if kept == float(ratio.detach()) else kept) * advantage
            terms.append(torch.minimum(unclipped, torch.as_tensor(clipped)) - weight * (p * p.log()).sum())
    return torch.stack(terms).mean()


@pytest.mark.parametrize("baseline", ["none", "moving_average"])
@pytest.mark.parametrize("clip", [0.05, 0.5])
def test_passes_are_adams_on_the_clipped_objective_by_hand(strategy, clip, baseline):
    space = Table(3, 4)
    choices = {"policy": "independent"}
    settings = {"samples": 4, "lr": 0.2, "passes": 5, "clip": clip, "entropy_weight": 0.03}
    node = {} if baseline == "moving_average" else {"update/baseline": "none"}
    tried = strategy("ppo", space, **choices, **node, **settings)
    logits = torch.zeros(3, 4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([logits], 0.2, (0.9, 0.999), 1e-8)
    total = weight = 0.0
    for rewards in ([1.0, -2.0, 0.5, 0.0], [3.0, 0.0, 1.0, -1.0]):
        old, advantages = logits.detach().clone(), []
        archs = learn(tried, rewards)
        for reward in rewards:
            total, weight = 0.9 * total + 0.1 * reward, 0.9 * weight + 0.1
            advantages.append(reward - (total / weight if baseline == "moving_average" else 0.0))
        for _ in range(5):
            optimizer.zero_grad()
            (-by_hand(logits, old, archs, advantages, clip, 0.03)).backward()
            optimizer.step()
        torch.testing.assert_close(tried.policy.logits[0].detach(), logits.detach(), rtol=1e-9, atol=1e-11)
    assert tried.update.steps == 10 and tried.updates == 2


@pytest.mark.parametrize("space", [micro, Growing])
def test_one_pass_moves_along_the_gradient_of_reinforce(strategy, space):
    """At a ratio of 1 the gradient of the ratio is that of the log-probability; the mean is over decisions."""
    tried = strategy("ppo", space(), samples=3, passes=1, entropy_weight=0.0)
    policy, archs = tried.policy, []
    while len({len(arch) for arch in archs}) < (1 if space is micro else 2):
        archs = [tried._sampled() for _ in range(3)]
    advantages, before = torch.tensor([1.0, -0.5, 2.0]).double(), policy.score(archs).log_probabilities.detach()
    decisions = sum(map(len, archs))

    def gradients(loss):
        found = torch.autograd.grad(loss, list(policy.parameters()), allow_unused=True)
        return [torch.zeros(1) if gradient is None else gradient for gradient in found]

    ours = gradients(tried.update.loss(policy.score(archs), before, advantages))
    plain = gradients(-(advantages * policy.score(archs).log_probabilities.sum(1)).sum() / decisions)
    assert sum(bool(gradient.any()) for gradient in plain) >= 3
    for found, expected in zip(ours, plain, strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("policy", ["lstm", "independent"])
def test_it_brings_the_best_of_a_small_table_to_a_high_probability(strategy, policy):
    space = Table(2, 3)
    tried = strategy("ppo", space, policy=policy, lr=0.05, samples=10, passes=4)
    before = tried.policy.score([space.values.argmax(1).tolist()]).log_probabilities.sum().exp()
    play(tried, space, 300)
    after = tried.policy.score([space.values.argmax(1).tolist()]).log_probabilities.sum().exp()
    assert float(before.detach()) < 0.3 and float(after.detach()) > 0.8


def test_a_table_of_values_has_no_gradient(strategy):
    with pytest.raises(RequestError, match=r"this policy does not have; choose strategy/policy=lstm or"):
        strategy("ppo", Table(), policy="q_table")
