"""The LSTM controller: its distribution, its gradient, the released code written out, and what it cannot walk."""

import pytest
import torch

from nasctl.core import Decision
from nasctl.errors import RequestError
from nasctl.strategy.policy._decisions import groups
from tests.strategy.controller import SPACES, controller, every, macro, micro, released
from tests.strategy.table import Growing, Table

SHAPED = {"temperature": 3.0, "tanh_constant": 2.0, "tanh_reduce": 1.5}


def uniforms(count, seed=0, longest=10):
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.rand(count, longest, generator=generator, dtype=torch.float64)
    return count, lambda group: numbers[:, group.start : group.stop]


@pytest.mark.parametrize("changes", [{}, SHAPED, {"layers": 2, "shared": False, "bias": {}}])
@pytest.mark.parametrize("kind", SPACES)
def test_the_probabilities_of_all_architectures_sum_to_one(kind, changes):
    space = SPACES[kind]()
    found = controller(space, init=2.0, **changes).score(every(space)).log_probabilities.sum(1).detach()
    assert float(found.logsumexp(0)) == pytest.approx(0, abs=1e-6)
    assert float(found.max() - found.min()) > 1  # far from uniform, where a wrong softmax would not show


@pytest.mark.parametrize("kind", SPACES)
def test_walks_are_sampled_as_often_as_their_probability_says(kind):
    space, count = SPACES[kind](), 4000
    tried = controller(space, init=0.5)
    archs, drawn = every(space), tried.sample(*uniforms(count, longest=20))
    assert set(drawn) <= set(archs)
    expected = count * tried.score(archs).log_probabilities.sum(1).exp()
    for arch, mean in zip(archs, expected.tolist(), strict=True):
        assert abs(drawn.count(arch) - mean) < 5 * mean**0.5 + 3, arch


@pytest.mark.parametrize("kind", SPACES)
def test_a_sample_is_scored_as_it_was_sampled(kind):
    space = SPACES[kind]()
    tried = controller(space, **SHAPED)
    drawn = tried.sample_walks(*uniforms(20, longest=20))
    scored = tried.score(drawn.architectures())
    assert torch.equal(drawn.log_probabilities, scored.log_probabilities.detach())
    assert torch.equal(drawn.entropies, scored.entropies.detach()) and not drawn.entropies.requires_grad


@pytest.mark.parametrize("kind", SPACES)
def test_the_policy_gradient_is_that_of_the_expected_reward(kind):
    """The sum of p(x) (R(x) - b) grad log p(x) over all x, against central differences of the mean reward."""
    space = SPACES[kind]()
    tried, archs = controller(space, **SHAPED), every(space)
    rewards = torch.randn(len(archs), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    scores = tried.score(archs).log_probabilities.sum(1)
    (scores.detach().exp() * (rewards - 0.7) * scores).sum().backward()
    touched = 0
    for parameter in tried.parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        direction = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        slope = difference(tried, archs, rewards, parameter, direction)
        assert float((gradient * direction).sum()) == pytest.approx(slope, rel=1e-6, abs=1e-9)
        touched += slope != 0
    assert touched >= 3


@torch.no_grad()
def difference(tried, archs, rewards, parameter, direction, step=1e-5):
    """Return the slope of the mean reward along ``direction`` of a parameter."""
    found = []
    for sign in (1, -1):
        parameter += sign * step * direction
        found.append(float(tried.score(archs).log_probabilities.sum(1).exp() @ rewards))
        parameter -= sign * step * direction
    return (found[0] - found[1]) / (2 * step)


@pytest.mark.parametrize("changes", [{}, {"temperature": 5.0, "tanh_constant": 2.5}])
def test_the_macro_space_is_walked_as_the_released_code_does(changes):
    space = macro(layers=4)
    tried = controller(space, **changes)
    walks = tried.sample_walks(*uniforms(30))
    for i, arch in enumerate(walks.architectures()):
        expected, penalty = released(tried, arch, 4)
        assert float(walks.log_probabilities[i].sum()) == pytest.approx(float(expected.detach()), abs=1e-10)
        assert float(walks.skip_penalty(0.4)[i]) == pytest.approx(float(penalty.detach()), abs=1e-7)


def test_the_exact_entropy_is_that_of_each_softmax():
    space = Table(2, 3)
    tried = controller(space, init=0.7)
    archs = every(space)
    log_p = tried.score(archs).log_probabilities.sum(1).detach()
    conditional = tried.score(archs).entropies.sum(1).detach()
    assert float(log_p.exp() @ conditional) == pytest.approx(float(-(log_p.exp() * log_p).sum()))  # the chain rule


def test_where_there_are_no_bits_there_is_no_penalty():
    assert controller(Table(2, 3)).score([(0, 1), (2, 2)]).skip_penalty(0.4).tolist() == [0, 0]


def test_states_attend_to_their_own_nodes():
    """What a pointer points at matters through the anchor; the anchors of the two inputs add nothing to the input."""
    space = micro(nodes=2)
    tried = controller(space)
    one, other = (tried.score([arch]).log_probabilities[0].detach() for arch in ((0,) * 16, (1,) + (0,) * 15))
    assert one[0] != other[0] and torch.equal(one[1:], other[1:])
    node, inputs = (tried.score([(0,) * 4 + (k,) + (0,) * 11]).log_probabilities[0] for k in (2, 0))
    assert not torch.equal(node[5:], inputs[5:])


def test_decisions_with_the_same_options_share_their_tables_or_do_not():
    space = macro()
    shared, own = (set(controller(space, shared=shared).tables) for shared in (True, False))
    assert shared == {"0"} and own == {"0", "1", "3"}


def test_the_seed_alone_decides_the_first_weights_and_the_global_stream_is_left_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = controller(macro()).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(1)
    again, other = controller(macro()).state_dict(), controller(macro(), seed=1).state_dict()
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)
    assert all(float(value.abs().max()) <= 1 for value in one.values())


def first_probabilities(**changes):
    return controller(Table(2, 3), init=1e-6, **changes).score([(k, 0) for k in range(3)]).log_probabilities.exp()


def test_biases_start_where_they_are_told_and_are_learnt():
    found = first_probabilities(bias={"option1": 1.0})
    assert found[:, 0].tolist() == pytest.approx([0.2119, 0.5761, 0.2119], abs=1e-3)
    found = first_probabilities(bias={"option1": 10.0}, tanh_constant=1.1, tanh_reduce=2.5)
    expected = torch.tensor([0.0, 1.1 / 2.5, 0.0]).softmax(0)
    assert found[:, 0].tolist() == pytest.approx(expected.tolist(), abs=1e-3)
    assert controller(Table(2, 3), bias={}).tables["0"]["softmax"].bias.requires_grad
    assert controller(Table(2, 3)).tables["0"]["softmax"].bias is None


def test_fixed_biases_are_added_after_the_bound_to_the_decisions_they_name():
    found = first_probabilities(fixed_bias={"decision1": {"option0": 3.0}}, tanh_constant=1.0)
    assert found[:, 0].tolist() == pytest.approx([1 / 3] * 3, abs=1e-3)
    assert float(found[0, 1]) == pytest.approx(float(torch.tensor([3.0, 0, 0]).softmax(0)[0]), abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"bias": {"optin1": 1.0}},
            "strategy.bias: unknown 'optin1'; did you mean 'option1'? choose from option0, option1, option2",
        ),
        (
            {"fixed_bias": {"decision": {"opt": 1.0}}},
            "strategy.bias: unknown 'opt'; did you mean 'option2'? choose from option0, option1, option2",
        ),
        (
            {"fixed_bias": {"normal": {}}},
            "strategy.fixed_bias: unknown 'normal'; choose from decision0, decision1",
        ),
    ],
)
def test_a_bias_of_what_does_not_exist_is_refused(changes, message):
    with pytest.raises(RequestError) as refused:
        controller(Table(2, 3), **changes)
    assert str(refused.value) == message


def test_bits_that_follow_one_another_are_decided_together():
    assert groups(macro(layers=4).decisions) == [
        range(0, 1), range(1, 2), range(2, 3), range(3, 4), range(4, 6), range(6, 7), range(7, 10),
    ]  # fmt: skip


class Odd(Table):
    """A table whose decisions are ``decisions``."""

    def __init__(self, *decisions):
        super().__init__(len(decisions), 2)
        self.decisions = decisions


PLAIN = Decision("plain", "plain", ("a", "b"))
BIT = Decision("bit", "skip", ("no", "yes"), inputs=(0,))
CANNOT = "strategy: a controller cannot walk this space, whose decision"
ELSE = "choose random_search or another space"


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            Odd(PLAIN, Decision("odd", "odd", ("a", "b"), inputs=(0, 0, 0)), PLAIN),
            f"{CANNOT} odd has 2 options and 3 inputs; {ELSE}",
        ),
        (
            Odd(Decision("early", "skip", ("no", "yes"), inputs=(1,)), PLAIN),
            f"{CANNOT} early connects to a later one or to a skip bit; {ELSE}",
        ),
        (
            Odd(PLAIN, BIT, Decision("last", "skip", ("no", "yes"), inputs=(1,))),
            f"{CANNOT} last connects to a later one or to a skip bit; {ELSE}",
        ),
    ],
)
def test_a_space_that_it_cannot_walk_is_refused_at_the_door(space, message):
    with pytest.raises(RequestError) as refused:
        controller(space)
    assert str(refused.value) == message


def test_walks_that_differ_need_a_list_of_kinds():
    class Unlisted:
        decision, complete = Growing.decision, Growing.complete

    with pytest.raises(RequestError, match="the walks of this space differ and it has no list of kinds"):
        controller(Unlisted())
