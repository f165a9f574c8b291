"""How text reaches a supernet: columns in order, hidden states carried along, the same dropout for one step."""

import pytest
import torch

from nasctl.core import Candidate
from nasctl.dataset._tokens import Lengths
from nasctl.errors import RequestError
from nasctl.estimator._streams import Examples, Text
from tests.small import Problem, relaxed, rounds, same, through_a_file


def problem(*overrides):
    return Problem("budget.epochs=9", *overrides, estimator="supernet_language")


def picked(made, seed=0):
    return Candidate(made.arch(seed))


def test_a_step_begins_with_the_state_that_the_last_one_ended_with():
    made = problem()
    estimator = made.estimator()
    stream = estimator.train
    assert stream.steps == 4
    zeros = after = estimator.net.init_hidden(4)
    for position in range(9):
        passage, targets = stream.batch(position)
        assert torch.equal(targets.view(5, 4)[:-1], passage.tokens[1:]) and len(passage) == len(targets)
        assert same(passage.hidden, zeros if position % 4 == 0 else after)
        estimator.net(passage, picked(made))
        after = [state.detach() for state in passage.after]
        stream.keep(passage)
        assert not any(state.count_nonzero() == 0 or state.requires_grad for state in stream.hidden)


def test_epochs_of_any_lengths_follow_each_other():
    made = problem("dataset.lengths.search={half: 0.2, std: 2.0, shortest: 2, longest: 9}")
    estimator = made.estimator()
    split = made.data.dataset.train()
    expected = [split.batch(4, epoch, step)[0].tolist() for epoch in range(3) for step in range(split.steps(4, epoch))]
    assert [estimator.train.batch(i)[0].tokens.tolist() for i in range(len(expected))] == expected
    assert len({split.steps(4, epoch) for epoch in range(9)}) > 1


def test_the_weight_step_advances_the_text_it_trains_on_and_the_architecture_step_the_other():
    made = problem()
    estimator = made.estimator()
    estimator.evaluate(relaxed(made, 1), 0)
    assert estimator.train.hidden is None and estimator.val.hidden is not None
    held = estimator.val.hidden
    estimator.fit(lambda: relaxed(made, 2))
    assert estimator.train.hidden is not None and estimator.val.hidden is held


def test_a_score_depends_on_weights_and_position_alone():
    made = problem("estimator.val_batches=2")
    estimator = made.estimator()
    before = through_a_file(estimator.state_dict())
    first = estimator.evaluate(picked(made), 0).metrics
    estimator.evaluate(picked(made, 1), 0)
    assert estimator.evaluate(picked(made), 0).metrics == first
    assert same(estimator.state_dict()["streams"], before["streams"])


def test_a_score_is_that_of_the_network_in_evaluation_read_from_the_beginning():
    made = problem("estimator.val_batches=null")
    estimator = made.estimator()
    arch = made.arch(0)
    network = made.space.build(made.space.genotype(arch), "search").eval()
    network.load_state_dict(estimator.net.subnet_state(made.space.genotype(arch)))
    split, hidden, loss, tokens = made.data.dataset.val(), network.init_hidden(4), 0.0, 0
    for step in range(split.steps(4, 0)):
        x, y = split.batch(4, 0, step)
        with torch.no_grad():
            spoken = network(x, hidden)
        hidden, tokens = spoken.hidden, tokens + len(y)
        loss += float(made.data.dataset.loss(spoken.logits, y)) * len(y)
    found = estimator.evaluate(Candidate(arch), 0).metrics
    assert found["loss"] == pytest.approx(loss / tokens, rel=1e-5)
    assert estimator.net.training


def test_all_passes_over_a_step_drop_the_same():
    made = problem()
    estimator = made.estimator()
    first, again = (estimator.train.batch(3)[0] for _ in range(2))
    other, val = estimator.train.batch(4)[0], estimator.val.batch(3)[0]
    assert first.seed == again.seed and len({first.seed, other.seed, val.seed}) == 3
    candidate = relaxed(made, 1)
    outputs = [estimator.net(passage, candidate).detach() for passage in (first, first, again)]
    assert torch.equal(outputs[0], outputs[1]) and torch.equal(outputs[0], outputs[2])
    first.seed += 1
    assert not torch.equal(estimator.net(first, candidate), outputs[0])


def test_slowness_is_the_mean_squared_change_and_of_the_weights_loss_only():
    made = problem("estimator.tar_beta=0.5")
    estimator = made.estimator()
    passage, _ = estimator.train.batch(0)
    estimator.net(passage, picked(made))
    changes = (passage.outputs[1:] - passage.outputs[:-1]).square().mean()
    assert estimator.train.penalty(passage).item() == pytest.approx(0.5 * changes.item())
    assert estimator.val.penalty(passage) == 0.0
    steps = []
    for slowness in (0.0, 5.0):
        one = problem(f"estimator.tar_beta={slowness}").estimator()
        one.evaluate(picked(made), 0)
        one.fit(lambda: picked(made))
        steps.append(one.net.state_dict())
    assert not same(*steps)


@pytest.mark.parametrize("unroll", ["first_order", "exact", "finite_difference", "released"])
def test_searches_of_every_order_resume_in_mid_epoch(unroll):
    made = problem(f"estimator/unroll={unroll}")
    whole, first, second = (made.estimator() for _ in range(3))
    expected = rounds(made, whole, [1, 3, 5, 7])
    head = rounds(made, first, [1, 3])
    second.load_state_dict(through_a_file(first.state_dict()))
    torch.manual_seed(99)
    assert head + rounds(made, second, [5, 7]) == expected
    assert same(second.state_dict(), whole.state_dict())


def test_images_are_read_as_before():
    made = Problem("budget.epochs=9")
    estimator = made.estimator()
    assert isinstance(estimator.train, Examples) and estimator.state_dict()["streams"] == [{}, {}]
    assert isinstance(problem().estimator().train, Text)


HALVED = "dataset.lengths.search={half: 0.5, std: 0.0, shortest: 1}"


def rates(made, monkeypatch):
    """Return (tokens, rate of the virtual step, rate of the weight step) of nine steps."""
    estimator, seen = made.estimator(), []
    virtual = estimator.optimizer.virtual_step
    monkeypatch.setattr(estimator.optimizer, "virtual_step", lambda rate: seen.append([rate]) or virtual(rate))
    for turn in range(9):
        tokens = len(estimator.train.batch(turn)[0].tokens)
        estimator.evaluate(relaxed(made, turn), 0)
        estimator.fit(lambda turn=turn: relaxed(made, turn))
        seen[-1] = (tokens, *seen[-1], estimator.optimizer.sgd.param_groups[0]["lr"])
    return seen


def test_steps_of_half_length_have_half_the_rate_and_so_have_their_virtual_steps(monkeypatch):
    seen = rates(problem(HALVED, "estimator.optimizer.lr_by_length=true"), monkeypatch)
    assert {tokens for tokens, *_ in seen} >= {2, 5}  # int(5 / 2); what is left at an epoch's end may be other
    assert all(virtual == rate == pytest.approx(20.0 * tokens / 5) for tokens, virtual, rate in seen)


def test_otherwise_the_rate_is_one_for_all_lengths(monkeypatch):
    assert {rate for _, *both in rates(problem(HALVED), monkeypatch) for rate in both} == {20.0}


def test_one_of_twenty_steps_is_half_as_long_on_the_penn_treebank():
    """random() < 0.95 and bptt / 2, as https://github.com/quark0/darts, rnn/train_search.py has it."""
    lengths = Lengths(half=0.05, std=0.0, shortest=5, longest=55).draw(35, 20_000, seed=0)
    assert set(lengths.tolist()) == {17, 35} and 0.045 < (lengths == 17).mean() < 0.055


def test_rates_by_length_and_moving_averages_are_refused_where_there_are_none():
    with pytest.raises(
        RequestError, match=r"estimator\.optimizer\.lr_by_length=true is of a text's steps, whose lengths differ"
    ):
        Problem("estimator.optimizer.lr_by_length=true").estimator()
    with pytest.raises(
        RequestError, match=r"networks of text keep no moving averages; set estimator.statistics.norms=batch"
    ):
        problem("estimator.statistics.norms=moving").estimator()


def test_candidates_that_are_compared_are_scored_on_the_beginning_of_the_text():
    made = problem("estimator.val_batches=1", "estimator.schedule.fit_every=50")
    estimator = made.estimator()
    own = [estimator.evaluate(picked(made), 0).metrics["loss"] for _ in range(3)]
    same_ones = [estimator.evaluate(Candidate(made.arch(0), compared=True), 0).metrics["loss"] for _ in range(3)]
    assert len(set(own)) == 3 and set(same_ones) == {own[0]}


def test_slowness_of_images_is_refused():
    with pytest.raises(RequestError) as error:
        Problem("estimator.tar_beta=0.1").estimator()
    assert str(error.value) == ("estimator.tar_beta=0.1 is of a text's hidden states; set it to 0 for this data set")
