"""ENAS: its update against plain references, that it learns, the final candidates, and what it refuses."""

import logging

import pytest
import torch

from nasctl.core import Candidate, Evaluation, Trial
from nasctl.errors import RequestError, RunError
from nasctl.strategy._walk_numbers import AT_ONCE
from tests.small import same, through_a_file
from tests.strategy.controller import macro
from tests.strategy.table import Growing, Limit, Table, play

PRESETS = ["enas", "enas_paper", "enas_code", "nas_rl"]


def tell(tried, arch, reward, error=None):
    tried.tell(
        Trial(0, Candidate(arch), None if error else Evaluation({}), reward=None if error else reward, error=error)
    )


def learn(tried, rewards):
    """Ask and tell as many trials as there are rewards; return what was asked."""
    asked = []
    for reward in rewards:
        asked.append(tried.ask().arch)
        tell(tried, asked[-1], reward)
    return asked


def weights(tried):
    return torch.cat([p.detach().flatten() for p in tried.policy.parameters()])


class TensorFlowAdam:
    """Adam as TensorFlow has it: epsilon is added to the root of the second moment before that is corrected."""

    def __init__(self, weights, lr, betas, eps):
        self.weights, self.lr, self.betas, self.eps, self.steps = list(weights), lr, betas, eps, 0
        self.moments = [(torch.zeros_like(w), torch.zeros_like(w)) for w in self.weights]

    def zero_grad(self):
        for w in self.weights:
            w.grad = None

    @torch.no_grad()
    def step(self):
        self.steps += 1
        first, second = self.betas
        rate = self.lr * (1 - second**self.steps) ** 0.5 / (1 - first**self.steps)
        for w, (m, v) in zip(self.weights, self.moments, strict=True):
            gradient = torch.zeros_like(w) if w.grad is None else w.grad
            m.mul_(first).add_(gradient, alpha=1 - first)
            v.mul_(second).add_(gradient.square(), alpha=1 - second)
            w -= rate * m / (v.sqrt() + self.eps)


ADAMS = {True: TensorFlowAdam, False: torch.optim.Adam}


@pytest.mark.parametrize("eps_hat", [True, False])
@pytest.mark.parametrize("corrected", [True, False])
@pytest.mark.parametrize("entropy", ["exact", "sampled"])
def test_an_update_is_adams_on_the_objective_of_the_released_code(strategy, corrected, entropy, eps_hat):
    settings = {"lr": 0.01, "betas": [0.0, 0.9], "eps": 1e-3, "samples": 3, "momentum": 0.8}
    settings["eps_hat"] = eps_hat
    settings |= {"entropy_weight": 0.3, "entropy": entropy, "skip_weight": 0.5, "skip_target": 0.3}
    space = macro()
    tried = strategy("enas_code", space, **settings, corrected=corrected)
    plain = strategy("enas_code", space, **settings).policy
    optimizer = ADAMS[eps_hat](plain.parameters(), 0.01, (0.0, 0.9), 1e-3)
    total = weight = 0.0
    for rewards in ([1.0, -2.0, 0.5], [3.0, 0.0, 1.0]):
        walks = plain.score(learn(tried, rewards))
        bonus = walks.entropies if entropy == "exact" else -walks.log_probabilities * walks.log_probabilities.exp()
        losses = []
        for i, reward in enumerate(rewards):
            reward += 0.3 * float(bonus[i].detach().sum())
            total, weight = 0.8 * total + 0.2 * reward, 0.8 * weight + 0.2
            baseline = total / weight if corrected else total
            losses.append(-walks.log_probabilities[i].sum() * (reward - baseline))
        optimizer.zero_grad()
        (torch.stack(losses).mean() + 0.5 * walks.skip_penalty(0.3).mean()).backward()
        optimizer.step()
        expected = torch.cat([p.detach().flatten() for p in plain.parameters()])
        torch.testing.assert_close(weights(tried), expected, rtol=1e-10, atol=1e-12)
    assert tried.updates == 2


def test_an_update_waits_for_its_samples_and_uses_one_policy(strategy):
    tried = strategy("enas", Table(3, 4), samples=4)
    before = weights(tried)
    learn(tried, [1.0, 2.0, 3.0])
    assert torch.equal(weights(tried), before)
    learn(tried, [0.0])
    assert not torch.equal(weights(tried), before) and not tried.batch and not tried.queue


def found(strategy, seed, noise=0.5):
    """Search an additive table of 5 ** 6 architectures whose rewards are noisy; return (asked the best, derived it)."""
    table = Table(6, 5, seed=seed)
    best = tuple(table.values.argmax(1).tolist())
    tried = strategy("enas", table, seed=seed, horizon=1000)
    generator, asked = torch.Generator().manual_seed(seed), set()
    for _ in range(1000):
        asked.add(arch := tried.ask().arch)
        tell(tried, arch, table.worth(arch) + noise * float(torch.randn((), generator=generator)))
    return best in asked, tried.derive() == best


def test_it_finds_the_best_of_a_noisy_table(strategy):
    """A uniform draw finds it in 6 of 100 searches: twice by chance in 4 of 1,000 runs of this test."""
    assert all(found(strategy, seed)[0] for seed in range(2))


@pytest.mark.slow
def test_it_finds_the_best_of_a_noisy_table_in_80_of_100_searches(strategy):
    results = [found(strategy, seed) for seed in range(100)]
    print(f"asked {sum(asked for asked, _ in results)}, derived {sum(derived for _, derived in results)}")
    assert sum(asked for asked, _ in results) >= 80
    assert sum(derived for _, derived in results) >= 50  # the noise of ten last trials decides between neighbours


def test_the_penalty_alone_brings_bits_to_their_target(strategy):
    space = macro(layers=4)
    rates = {}
    for target in (0.1, 0.9):
        tried = strategy(
            "enas_code", space, skip_target=target, skip_weight=1.0, lr=0.05, samples=2, tanh_constant=None
        )
        learn(tried, [0.0] * 120)
        numbers = torch.rand(200, len(space.decisions), dtype=torch.float64)
        walks = tried.policy.sample_walks(200, lambda group, own=numbers: own[:, group.start : group.stop])
        bits = [i for i, decision in enumerate(space.decisions) if decision.inputs]
        rates[target] = float(walks.options[:, bits].double().mean())
    assert rates[0.1] < 0.35 and rates[0.9] > 0.65


def test_in_the_last_trials_the_policy_rests_and_the_best_of_them_is_derived(strategy):
    tried = strategy("enas", Table(3, 4), samples=2, final_selection={"trials": 5}, horizon=20)
    learn(tried, [100.0] + [float(k) for k in range(14)])
    before = weights(tried)
    asked = learn(tried, [1.0, 5.0, 3.0, 4.0, 2.0])
    assert torch.equal(weights(tried), before)
    assert tried.derive() == asked[1]
    assert tried.facts() == {"controller": {"updates": 7, "selected_from": 5}}


def test_first_steps_of_the_released_adam_are_ten_times_smaller(strategy):
    """Its epsilon, 1e-3, is as large as gradients are; corrected by the root of 1 - 0.999 it would not be."""
    moved = {}
    for eps_hat in (False, True):
        tried = strategy("enas_code", macro(), samples=2, eps_hat=eps_hat)
        before = weights(tried)
        learn(tried, [1.0, 0.0])
        moved[eps_hat] = (weights(tried) - before).abs().median()
    assert 5 < moved[False] / moved[True] < 40


@pytest.mark.parametrize("preset, compared", [("enas_paper", True), ("enas_code", False), ("enas", False)])
def test_candidates_to_choose_from_are_compared_on_one_batch_where_the_paper_is_followed(strategy, preset, compared):
    tried = strategy(preset, Table(3, 4), final_selection={"trials": 4}, horizon=12)
    asked = []
    for k in range(12):
        asked.append(tried.ask())
        tell(tried, asked[-1].arch, float(k))
    assert [candidate.compared for candidate in asked] == [False] * 8 + [compared] * 4
    assert not any(strategy(preset, Table(3, 4), horizon=None).ask().compared for _ in range(3))


def test_without_a_selection_it_learns_to_the_end_and_the_best_of_all_is_derived(strategy):
    tried = strategy("nas_rl", Table(3, 4), samples=2, horizon=20)
    rewards = [float(k % 7) for k in range(20)]
    rewards[5] = 9.0
    asked = learn(tried, rewards)
    assert tried.updates == 10 and tried.derive() == asked[5]
    assert tried.facts() == {"controller": {"updates": 10, "selected_from": 20}}
    resumed = strategy("nas_rl", Table(3, 4), samples=2, horizon=20, seed=3)
    resumed.load_state_dict(through_a_file(tried.state_dict()))
    tell(resumed, (0, 0, 0), 8.0)
    assert resumed.derive() == asked[5]
    tell(resumed, (0, 0, 1), 10.0)
    assert resumed.derive() == (0, 0, 1)


def test_the_controller_of_nas_rl_has_two_layers_of_35_units_and_no_bound(strategy):
    tried = strategy("nas_rl", Table(3, 4))
    assert [cell.hidden_size for cell in tried.policy.cells] == [35, 35]
    flat = weights(tried)
    assert flat.abs().max() <= 0.08 and flat.std() == pytest.approx(0.16 / 12**0.5, rel=0.02)
    assert torch.equal(tried.policy.shaped(torch.tensor([1e3])), torch.tensor([1e3]))
    assert not any("bias" in name for name, _ in tried.policy.named_parameters())


def test_without_a_horizon_it_never_rests(strategy):
    tried = strategy("enas", Table(3, 4), samples=2, final_selection={"trials": 5}, horizon=None)
    learn(tried, [float(k % 7) for k in range(40)])
    assert tried.updates == 20


def test_a_selection_of_all_trials_is_warned_of(strategy, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("nasctl"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("nasctl"), "handlers", [])
    strategy("enas", Table(), final_selection={"trials": 19}, horizon=20)
    assert not caplog.messages
    tried = strategy("enas", Table(), final_selection={"trials": 20}, horizon=20)
    assert caplog.messages == [
        "strategy.final_selection.trials=20 leaves the policy none of 20 trials to learn from; lower it"
    ]
    learn(tried, [float(k) for k in range(20)])
    assert tried.updates == 0


def test_a_failed_trial_teaches_nothing(strategy):
    tried = strategy("enas", Table(3, 4), samples=2)
    before = weights(tried)
    for _ in range(2):
        tell(tried, tried.ask().arch, float("-inf"), "diverged")
    assert torch.equal(weights(tried), before) and not tried.batch
    with pytest.raises(RunError, match=r"no trial has succeeded.*the last one: diverged"):
        tried.derive()
    arch = tried.ask().arch
    tell(tried, tried.ask().arch, float("-inf"), "diverged")
    tell(tried, arch, 1.0)
    assert tried.updates == 1 and torch.isfinite(weights(tried)).all() and tried.derive() == arch


def test_what_is_asked_and_sampled_is_feasible(strategy):
    limit = Limit(lambda arch: arch[0] == 1 and arch[1] != 2)
    seen = play(strategy("enas", Table(), feasible=limit, horizon=60), Table(), 60)
    assert len(seen) == 120 and all(limit.accepts(arch) for arch, _ in seen)


@pytest.mark.parametrize("method", ["ask", "sample"])
def test_an_impossible_limit_ends_in_its_refusal(strategy, method):
    limit = Limit(lambda arch: False, tries=25)
    tried = strategy("enas", Table(), feasible=limit)
    with pytest.raises(RequestError, match="the limit is impossible; raise it"):
        getattr(tried, method)()
    assert limit.calls == len(limit.refused) and 25 <= limit.calls < 25 + tried.samples


def test_walks_of_any_length_are_asked_and_learnt_from(strategy):
    space = Growing()
    tried = strategy("enas", space, horizon=200)
    seen = play(tried, space, 200)
    assert {len(arch) for arch, _ in seen} == {1, 2, 3, 4} and tried.updates > 10
    assert torch.isfinite(weights(tried)).all()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("steps", [7, 33])
def test_a_space_with_bits_is_resumed_in_the_middle_of_a_batch(strategy, preset, steps):
    space = macro()

    def turn(tried, count):
        return [[tried.sample().arch, *learn(tried, [float(sum(tried.sample().arch))])] for _ in range(count)]

    whole, first, second = strategy(preset, space), strategy(preset, space), strategy(preset, space, seed=7)
    expected = turn(whole, 50)
    head = turn(first, steps)
    second.load_state_dict(through_a_file(first.state_dict()))
    assert head + turn(second, 50 - steps) == expected
    assert same(second.state_dict(), whole.state_dict())


def test_walks_for_the_shared_weights_are_those_of_todays_policy(strategy):
    """They are sampled ahead in blocks; an update in the middle of one must not leave stale walks."""
    tried = strategy("enas", Table(3, 4), samples=2, lr=0.5)
    for _ in range(5):
        tried.sample()
    for _ in range(20):
        arch = tried.ask().arch
        tell(tried, arch, 10.0 * (arch == (3, 3, 3)) + arch[0] + arch[1] + arch[2])
    walks = tried.policy.sample(AT_ONCE, tried.ahead.numbers.of(0))
    assert [tried.sample().arch for _ in range(27)] == walks[5:]
