"""REINFORCE: its gradient, Adam and baseline against plain references, rejection, warm-up, and the final pick."""

import pytest
import torch

from nasctl.core import SKIPPED, Candidate, Decision, Evaluation, Trial
from nasctl.errors import RequestError
from nasctl.strategy.update._masked_adam import MaskedAdam
from nasctl.strategy.update.baseline.moving_average import MovingAverage
from tests.marked import slow
from tests.small import same, through_a_file
from tests.strategy.mass import ChainLimit, brute_force, chain, every
from tests.strategy.table import Growing, Limit, Table


class Widths(Table):
    """Two widths, not in order, and an operation."""

    def __init__(self):
        super().__init__(3)
        widths = ("8", "16", "64", "32")
        self.decisions = (Decision("a", "width", widths), Decision("b", "width", widths), self.decisions[2])


def of(kind):
    """Return the choice of a feasibility, with few samples of an estimate."""
    return {"feasibility": kind} | ({"samples": 20} if kind == "monte_carlo" else {})


KINDS = ["none", "monte_carlo", "exact"]
ADAM = {"lr": 0.1, "betas": (0.9, 0.99), "eps": 1e-8}


def test_adam_is_torchs_where_a_replica_moves_and_rests_elsewhere():
    ours = MaskedAdam(torch.zeros(2, 2, 3, dtype=torch.float64), **ADAM)
    theirs = [torch.zeros(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    optimizers = [torch.optim.Adam([logits], 0.1, (0.9, 0.99), 1e-8, maximize=True) for logits in theirs]
    generator = torch.Generator().manual_seed(0)
    for turn in range(6):
        gradient = torch.randn(2, 2, 3, generator=generator, dtype=torch.float64)
        moved = torch.tensor([True, turn % 3 != 1])
        ours.ascend(gradient, moved, torch.ones(2).double())
        for replica in moved.nonzero().flatten().tolist():
            theirs[replica].grad = gradient[replica]
            optimizers[replica].step()
    torch.testing.assert_close(ours.logits, torch.stack(theirs).detach(), rtol=1e-12, atol=1e-12)


def test_the_baseline_is_corrected_for_its_start_and_updated_before_the_advantage():
    baseline = MovingAverage(2, momentum=0.9, corrected=True)
    assert baseline.advantage(torch.tensor([5.0, 1.0]).double(), torch.tensor([True, False])).tolist() == [0, 0]
    found = baseline.advantage(torch.tensor([8.0, 3.0]).double(), torch.tensor([True, True])).tolist()
    average = (0.9 * 0.1 * 5 + 0.1 * 8) / (0.9 * 0.1 + 0.1)
    assert found == pytest.approx([8 - average, 0])


def steps(tried, rewards, turns):
    """Play ``turns`` turns of a batch whose rewards are ``rewards(archs)``; return what was drawn."""
    drawn = []
    for _ in range(turns):
        archs, wanted = tried.draw(torch.ones(len(tried.seeds), dtype=torch.bool))
        tried.learn(archs, rewards(archs), wanted)
        drawn.append(torch.where(wanted[:, None], archs, -1))
    return torch.stack(drawn)


def additive(archs):
    """A reward of the sum of fixed values, one of each option."""
    values = torch.randn(3, 4, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    return values[torch.arange(3), archs].sum(1)


SPACE, SIZES = Table(length=3, width=4), (4, 4, 4)
BOUND = chain(SIZES)


def test_the_step_is_adams_on_the_gradient_of_the_objective_of_the_paper(strategy):
    tried = strategy("tabnas", SPACE, feasible=ChainLimit(BOUND), feasibility="exact")
    logits = torch.zeros(1, 3, 4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([logits], tried.update.optimizer.lr, (0.9, 0.999), 1e-8, maximize=True)
    total = weight = 0.0
    for _ in range(30):
        archs, wanted = tried.draw(torch.tensor([True]))
        reward = additive(archs)
        if bool(wanted):
            total, weight = 0.9 * total + 0.1 * float(reward), 0.9 * weight + 0.1
            optimizer.zero_grad()
            picked = logits.log_softmax(-1)[0, torch.arange(3), archs[0]].sum()
            ((float(reward) - total / weight) * (picked - brute_force(logits, SIZES, BOUND).log().sum())).backward()
            optimizer.step()
        tried.learn(archs, reward, wanted)
    assert 0 < int(tried.records.skipped) < 30
    torch.testing.assert_close(tried.policy.logits, logits.detach(), rtol=1e-8, atol=1e-10)


def test_an_estimate_carries_a_gradient_that_more_samples_bring_closer_to_the_exact_one(strategy):
    """An estimate of P(V) without a gradient would move the policy as if nothing were rejected."""
    feasible, told = ChainLimit(BOUND), torch.ones(200, dtype=torch.bool)
    (arch, *_), rewards = torch.tensor([a for a in every(SIZES) if feasible.accepts(a)]), [0.0, 1.0]

    def moved(name, **changes):
        tried = strategy(name, SPACE, list(range(200)), feasible, **changes)
        for reward in rewards:  # the first advantage is zero
            tried.draw(told)
            tried.learn(arch.expand(200, 3), torch.full((200,), reward).double(), told)
        return tried.update.optimizer.mean

    exactly, detached = moved("tabnas", feasibility="exact"), moved("reinforce", feasibility="none")
    distances = [float((moved("tabnas", feasibility={"samples": n}) - exactly).norm()) for n in (5, 500)]
    assert distances[1] < 0.2 * distances[0]
    assert float((exactly - detached).norm()) > 2 * distances[1]


@pytest.mark.parametrize("kind", slow(KINDS, "exact"))
def test_a_replica_alone_samples_what_it_samples_in_a_batch(strategy, kind):
    feasible, settings = ChainLimit(BOUND), of(kind)
    batch = steps(strategy("reinforce", SPACE, [3, 4, 5], feasible, **settings), additive, 1000)
    alone = steps(strategy("reinforce", SPACE, 5, feasible, **settings), additive, 1000)
    assert torch.equal(alone[:, 0], batch[:, 2])
    assert (batch[:, 0] != batch[:, 1]).any()
    assert (batch < 0).any() == (kind != "none")


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_batch_goes_on_as_it_would(strategy, kind):
    def build(seeds):
        return strategy("reinforce", SPACE, seeds, ChainLimit(BOUND), **of(kind))

    whole, first, second = build([1, 2]), build([1, 2]), build([8, 9])
    expected = steps(whole, additive, 60)
    head = steps(first, additive, 25)
    second.load_state_dict(through_a_file(first.state_dict()))
    assert torch.equal(torch.cat([head, steps(second, additive, 35)]), expected)
    assert same(second.state_dict(), whole.state_dict())
    assert torch.equal(second.picks(), whole.picks()) and second.describe() == whole.describe()


def test_the_best_feasible_architecture_is_found(strategy):
    tried = strategy("tabnas", SPACE, list(range(20)), ChainLimit(BOUND), feasibility="exact")
    steps(tried, additive, 400)
    best = max((arch for arch in every(SIZES) if ChainLimit(BOUND).accepts(arch)), key=value)
    assert (tried.picks() == torch.tensor(best)).all(1).double().mean() > 0.5


def value(arch):
    return float(additive(torch.tensor([arch])))


def test_an_infeasible_sample_is_skipped_and_teaches_nothing(strategy):
    limit = Limit(lambda arch: False, tries=50)
    tried = strategy("tabnas", SPACE, feasible=limit)
    for _ in range(49):
        assert tried.ask() is SKIPPED
    assert not tried.policy.logits.any() and tried.facts()["policy"]["skipped"] == 49
    with pytest.raises(RequestError, match="the limit is impossible; raise it"):
        tried.ask()
    assert limit.refused


def test_without_rejection_what_is_infeasible_is_asked(strategy):
    tried = strategy("reinforce", SPACE, feasible=Limit(lambda arch: False))
    assert all(tried.ask() is not SKIPPED for _ in range(20))


def test_a_failed_trial_teaches_nothing(strategy):
    tried = strategy("reinforce", SPACE)
    candidate = tried.ask()
    tried.tell(Trial(0, candidate, None, error="diverged"))
    assert not tried.policy.logits.any() and not tried.update.baseline.weight.any() and not tried.update.told.any()


def told(tried, arch, reward):
    tried.ask()
    tried.tell(Trial(0, Candidate(arch), Evaluation({}), reward=reward))


@pytest.mark.parametrize("pick, expected", [("mode", (3, 3, 3)), ("feasible", (3, 3, 2))])
def test_the_pick_is_the_mode_or_the_most_probable_feasible_sample(strategy, pick, expected):
    limit = Limit(lambda arch: sum(arch) < 9)
    tried = strategy("reinforce", SPACE, feasible=limit, pick=pick, feasibility="exact")
    tried.policy.logits[0, :, 3] = torch.tensor([3.0, 3.0, 1.5]).double()
    tried.policy.logits[0, 2, 2] = 1.0
    assert tried.derive() == expected
    policy = tried.facts()["policy"]
    assert policy["mode"] == {f"decision{i}": "option3" for i in range(3)} and policy["mode_feasible"] is False
    p = tried.policy.logits.softmax(-1)
    assert policy["feasible_mass"] == pytest.approx(1 - float(p[0, :, 3].prod()))


def test_where_no_sample_is_feasible_the_pick_is_the_last_feasible_one_asked(strategy):
    feasible = Limit(lambda arch: arch[0] == 0)
    tried = strategy("tabnas", SPACE, seed=1, feasible=feasible)
    asked = [candidate for candidate in (tried.ask() for _ in range(30)) if candidate is not SKIPPED]
    tried.policy.logits[0, 0, 0] = -1e6
    assert tried.derive() == asked[-1].arch


def test_weights_are_trained_on_feasible_samples_if_infeasible_ones_are_rejected(strategy):
    limit = Limit(lambda arch: arch[0] == 2)
    rejecting, taking = (strategy(name, SPACE, feasible=limit) for name in ("tabnas", "reinforce"))
    assert {rejecting.sample().arch[0] for _ in range(30)} == {2}
    assert {taking.sample().arch[0] for _ in range(60)} == {0, 1, 2, 3}


def test_in_the_warm_up_the_policy_waits_and_weights_see_the_widest_ever_less(strategy):
    tried = strategy("tunas", Widths(), horizon=80, warmup=0.25, lr_growth=10.0, lr=0.1, lr_growth_from="start")

    def widest():
        return sum(tried.sample().arch[:2] == (2, 2) for _ in range(100))

    assert {tried.sample().arch[2] for _ in range(60)} == {0, 1, 2, 3}  # no operation is the widest

    assert widest() == 100
    for trial in range(10):
        told(tried, (trial % 4, 0, 0), float(trial))
    assert 30 <= widest() <= 75 and not tried.policy.logits.any()
    for trial in range(10):
        told(tried, (trial % 4, 0, 0), float(trial))
    assert not tried.policy.logits.any() and widest() < 15
    told(tried, (3, 0, 0), 100.0)
    assert tried.policy.logits.any()
    assert float(tried.schedule.rate(tried.update.told)) == pytest.approx(10 ** (21 / 80))


def test_the_rate_of_tunas_grows_tenfold_from_the_end_of_the_warm_up(strategy):
    """10 ** ((step - delay) / (steps - delay)), as https://github.com/google-research/google-research, tunas has it."""
    tried = strategy("tunas", Widths(), horizon=80)
    found = []
    for _ in range(80):
        found.append(float(tried.schedule.rate(tried.update.told)))
        told(tried, (0, 0, 0), 1.0)
    assert found == pytest.approx([0.0] * 20 + [10 ** ((step - 20) / 60) for step in range(20, 80)])


@pytest.mark.parametrize("replicas", [1, 3])
def test_the_best_trial_may_be_picked(strategy, replicas):
    """As https://github.com/D-X-Y/AutoDL-Projects, exps/NATS-algos/reinforce.py does."""
    tried, other = (strategy("reinforce", SPACE, list(range(replicas)), pick="best") for _ in range(2))
    archs = steps(tried, additive, 25)
    rewards = torch.stack([additive(turn) for turn in archs])
    expected = torch.stack([archs[rewards[:, i].argmax(), i] for i in range(replicas)])
    assert torch.equal(tried.picks(), expected)
    other.load_state_dict(through_a_file(tried.state_dict()))
    assert torch.equal(other.picks(), expected)
    assert not torch.equal(strategy("reinforce", SPACE, list(range(replicas)), pick="best").picks(), expected)


@pytest.mark.parametrize("pick", ["mode", "feasible"])
def test_without_rejection_only_what_is_not_covered_is_skipped(strategy, pick):
    feasible = Limit(lambda arch: arch[1] == 0, known=lambda arch: arch[0] < 2)
    tried = strategy("reinforce", SPACE, feasible=feasible, pick=pick)
    asked = [candidate.arch for candidate in (tried.ask() for _ in range(60)) if candidate is not SKIPPED]
    assert {arch[0] for arch in asked} == {0, 1} and {arch[1] for arch in asked} == {0, 1, 2, 3}
    tried.policy.logits[0, 0, 3] = 2.0
    found = tried.derive()
    assert found[0] < 2 and (pick == "mode" or found[1] == 0)
    assert tried.final.modes()[0, 0] == 3 and not tried.facts()["policy"]["mode_feasible"]


def test_shares_of_a_search_of_unknown_length_are_refused(strategy):
    with pytest.raises(RequestError) as refused:
        strategy("tunas", SPACE, horizon=None)
    assert str(refused.value) == (
        "strategy: warmup=0.25 and lr_growth=10.0 are shares of a search of known length; "
        "set budget.trials or strategy.horizon"
    )


def test_decisions_that_depend_on_one_another_are_refused(strategy):
    with pytest.raises(RequestError) as refused:
        strategy("reinforce", Growing())
    assert str(refused.value) == (
        "strategy: a policy of independent logits needs decisions of which none depends on another, which this "
        "space's do; choose random_search, regularized_evolution or another space"
    )
