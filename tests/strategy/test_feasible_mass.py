"""P(V): exact sums against brute force and central differences, estimates against their exact means."""

import pytest
import torch

from nasctl.core import Chain
from nasctl.errors import RequestError
from nasctl.strategy.feasibility import FeasibleSets
from nasctl.strategy.feasibility._enumeration import Enumeration
from nasctl.strategy.feasibility._meet_in_the_middle import MeetInTheMiddle
from nasctl.strategy.feasibility._set import everything, feasible_set
from nasctl.strategy.feasibility.exact import Exact
from nasctl.strategy.feasibility.monte_carlo import MonteCarlo
from nasctl.strategy.feasibility.none import NoRejection
from tests.strategy.mass import ChainLimit, brute_force, chain, every, logits, members, uniforms
from tests.strategy.table import Limit

SHAPES = [(3, 3), (2, 5), (4, 3, 4), (5, 2, 3, 4), (3, 2, 4, 3, 2), (2, 3, 2, 2, 3, 2)]
NONE = torch.empty(0)


def sets(sizes, accepted, feasible=None):
    return FeasibleSets(sizes, accepted, everything, feasible or Limit())


def monte_carlo(sizes, accepted, samples, uniform):
    return MonteCarlo(sets(sizes, accepted), samples=samples, proposal_uniform=uniform).mass


def ways(sizes, limit):
    return {
        "enumeration": Enumeration(sizes, members(sizes, limit)),
        "meeting in the middle": MeetInTheMiddle(sizes, limit),
    }


@pytest.mark.parametrize("way", ["enumeration", "meeting in the middle"])
@pytest.mark.parametrize("share", [0.02, 0.4, 0.95])
@pytest.mark.parametrize("sizes", SHAPES)
def test_exact_sums_are_brute_force(sizes, share, way):
    limit, values = chain(sizes, share=share), logits(sizes, scale=2.0)
    mass = ways(sizes, limit)[way](values.log_softmax(-1))
    expected = brute_force(values, sizes, limit)
    assert float(expected.min()) > 0 and float(expected.max()) < 1
    torch.testing.assert_close(mass.value, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("way", ["enumeration", "meeting in the middle"])
@pytest.mark.parametrize("sizes", SHAPES)
def test_the_gradient_is_that_of_central_differences(sizes, way):
    limit, values, step = chain(sizes), logits(sizes, replicas=2), 1e-5
    find = ways(sizes, limit)[way]
    mass = find(values.log_softmax(-1))
    ours = mass.value[:, None, None] * (mass.expected - values.softmax(-1))
    for place in values.isfinite()[0].nonzero().tolist():
        moved = torch.zeros_like(values)
        moved[:, place[0], place[1]] = step
        above, below = (find((values + sign * moved).log_softmax(-1)).value for sign in (1, -1))
        difference = (above - below) / (2 * step)
        torch.testing.assert_close(ours[:, place[0], place[1]], difference, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("way", ["enumeration", "meeting in the middle"])
def test_the_expected_option_is_the_conditional_mean(way):
    sizes = (4, 3, 4)
    limit, values = chain(sizes), logits(sizes).requires_grad_()
    value = brute_force(values, sizes, limit)
    (gradient,) = torch.autograd.grad(value.log().sum(), values)
    mass = ways(sizes, limit)[way](values.detach().log_softmax(-1))
    torch.testing.assert_close(mass.expected - values.detach().softmax(-1), gradient, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(mass.expected.sum(-1), torch.ones(3, 3).double())


@pytest.mark.parametrize("way", ["enumeration", "meeting in the middle"])
def test_a_limit_that_nothing_meets_has_no_mass_and_no_gradient(way):
    sizes = (3, 4, 3)
    limit, values = chain(sizes), logits(sizes).log_softmax(-1)
    impossible = Chain(limit.tables, -1.0)
    mass = ways(sizes, impossible)[way](values)
    assert not mass.value.any() and torch.equal(mass.expected, values.exp())


def test_many_replicas_are_summed_in_parts():
    sizes = (3, 2, 4, 3, 2)
    limit, values = chain(sizes), logits(sizes, replicas=7).log_softmax(-1)
    whole, parts = MeetInTheMiddle(sizes, limit), MeetInTheMiddle(sizes, limit)
    parts.replicas = 2
    torch.testing.assert_close(parts(values).expected, whole(values).expected, rtol=1e-12, atol=0)


def estimates(sizes, limit, values, samples, uniform, count):
    """Return ``count`` independent estimates of one policy: values ``(count,)`` and gradients of P(V)."""
    p = values[:1].log_softmax(-1).expand(count, -1, -1)
    find = monte_carlo(sizes, members(sizes, limit), samples=samples, uniform=uniform)
    mass = find(p, uniforms(count, samples, len(sizes)))
    return mass.value, mass.value[:, None, None] * (mass.expected - p.exp())


@pytest.mark.parametrize("uniform", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("samples", [1, 7])
def test_estimates_of_the_mass_and_its_gradient_are_unbiased(samples, uniform):
    sizes, count = (4, 3, 4), 40_000
    limit, values = chain(sizes), logits(sizes, replicas=1).requires_grad_()
    value = brute_force(values, sizes, limit)
    (gradient,) = torch.autograd.grad(value.sum(), values)
    values = values.detach()
    for found, exactly in zip(estimates(sizes, limit, values, samples, uniform, count), (value, gradient), strict=True):
        found = found.view(count, -1)
        error, spread = (found.mean(0) - exactly.detach().flatten()), found.std(0) / count**0.5
        assert (error.abs() < 4.5 * spread + 1e-12).all()
        assert spread.max() > 0


@pytest.mark.parametrize("uniform", [0.3, 1.0])
def test_another_proposal_is_weighed_by_p_over_q(uniform):
    sizes, limit = (4, 3, 4), chain((4, 3, 4))
    values = logits(sizes, replicas=1, scale=3.0)
    find = monte_carlo(sizes, members(sizes, limit), samples=20_000, uniform=uniform)
    mass = find(values.log_softmax(-1), uniforms(1, 20_000, 3))
    assert float(mass.value) == pytest.approx(float(brute_force(values, sizes, limit)), rel=0.1)
    exactly = Enumeration(sizes, members(sizes, limit))(values.log_softmax(-1))
    assert float((mass.expected - exactly.expected).abs().max()) < 0.1


@pytest.mark.parametrize("uniform", [0.0, 0.3, 1.0])
def test_the_bias_of_the_logarithm_falls_with_the_samples(uniform):
    sizes, limit = (4, 3, 4), chain((4, 3, 4), share=0.9)
    values, biases = logits(sizes, replicas=1), []
    exactly = float(brute_force(values, sizes, limit).log())
    for samples in (16, 64):
        found, _ = estimates(sizes, limit, values, samples, uniform, 20_000)
        assert (found > 0).all()
        biases.append(exactly - float(found.log().mean()))
    assert biases[0] > 2.5 * biases[1] > 0  # the bias is of the order of 1 / samples


def test_estimates_without_a_feasible_sample_have_no_gradient():
    sizes = (3, 3)
    find = monte_carlo(sizes, lambda archs: torch.zeros(archs.shape[:-1], dtype=torch.bool), samples=5, uniform=0.0)
    values = logits(sizes).log_softmax(-1)
    mass = find(values, uniforms(3, 5, 2))
    assert not mass.value.any() and torch.equal(mass.expected, values.exp())


def test_the_whole_space_has_mass_one_and_the_policys_own_mean():
    values = logits((3, 2)).log_softmax(-1)
    mass = NoRejection(None).mass(values, NONE)
    assert mass.value.tolist() == [1, 1, 1] and torch.equal(mass.expected, values.exp())


def test_small_spaces_are_enumerated_and_chains_met_in_the_middle():
    limit = chain((4, 4))
    assert isinstance(Exact(sets((4, 4), members((4, 4), limit), ChainLimit(limit))).way, Enumeration)
    long = [10] * 6
    made = Exact(sets(long, members((4, 4), limit), ChainLimit(Chain([[[1.0] * 10] * 10] * 5, 3.0)))).way
    assert isinstance(made, MeetInTheMiddle)


@pytest.mark.parametrize("sizes", [[10] * 6, [20] * 11])
def test_what_is_neither_small_nor_a_chain_is_refused(sizes):
    with pytest.raises(RequestError) as refused:
        Exact(sets(sizes, None))
    assert str(refused.value).startswith("strategy/feasibility=exact: ")
    assert str(refused.value).endswith(
        "architectures are too many to enumerate, and the limit is no sum over few neighbouring decisions; "
        "choose strategy/feasibility=monte_carlo"
    )


@pytest.mark.parametrize("sizes", SHAPES)
def test_a_chain_and_a_list_accept_the_same(sizes):
    limit = chain(sizes)
    archs = torch.tensor(every(sizes))
    listed, chained = members(sizes, limit), ChainLimit(limit)
    assert listed(archs).tolist() == [chained.accepts(arch) for arch in every(sizes)]
    assert 0 < int(listed(archs).sum()) < len(archs)


@pytest.mark.parametrize("sizes", [[10] * 6, [4, 1, 1, 1, 1, 4]])
def test_a_space_whose_costs_are_no_sums_is_judged_where_it_is_met(sizes):
    limit = Limit(lambda arch: arch[0] == arch[5])
    accepted = feasible_set(sizes, limit)
    archs = torch.tensor([[[1, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 2]], [[3, 0, 0, 0, 0, 3], [1, 0, 0, 0, 0, 1]]])
    assert accepted(archs).tolist() == [[True, False], [True, True]]
    assert limit.calls == 3
