"""How text reaches a supernet: columns in order, hidden states carried along, the same dropout for one step."""

import pytest
import torch

from nasctl.core import Candidate, RequestError
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
    zeros = after = estimator.net.start(4)
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
    estimator.evaluate(relaxed(made, 1))
    assert estimator.train.hidden is None and estimator.val.hidden is not None
    held = estimator.val.hidden
    estimator.fit(lambda: relaxed(made, 2))
    assert estimator.train.hidden is not None and estimator.val.hidden is held


def test_a_score_depends_on_weights_and_position_alone():
    made = problem("estimator.val_batches=2")
    estimator = made.estimator()
    before = through_a_file(estimator.state_dict())
    first = estimator.evaluate(picked(made)).metrics
    estimator.evaluate(picked(made, 1))
    assert estimator.evaluate(picked(made)).metrics == first
    assert same(estimator.state_dict()["streams"], before["streams"])


def test_a_score_is_that_of_the_network_in_evaluation_read_from_the_beginning():
    made = problem("estimator.val_batches=null")
    estimator = made.estimator()
    arch = made.arch(0)
    network = made.space.build(made.space.genotype(arch), "search").eval()
    network.load_state_dict(estimator.net.subnet_state(made.space.genotype(arch)))
    split, hidden, loss, tokens = made.data.dataset.val(), network.start(4), 0.0, 0
    for step in range(split.steps(4, 0)):
        x, y = split.batch(4, 0, step)
        with torch.no_grad():
            spoken = network(x, hidden)
        hidden, tokens = spoken.hidden, tokens + len(y)
        loss += float(made.data.dataset.loss(spoken.logits, y)) * len(y)
    found = estimator.evaluate(Candidate(arch)).metrics
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
    made = problem("estimator.slowness=0.5")
    estimator = made.estimator()
    passage, _ = estimator.train.batch(0)
    estimator.net(passage, picked(made))
    changes = (passage.outputs[1:] - passage.outputs[:-1]).square().mean()
    assert estimator.train.penalty(passage).item() == pytest.approx(0.5 * changes.item())
    assert estimator.val.penalty(passage) == 0.0
    steps = []
    for slowness in (0.0, 5.0):
        one = problem(f"estimator.slowness={slowness}").estimator()
        one.evaluate(picked(made))
        one.fit(lambda: picked(made))
        steps.append(one.net.state_dict())
    assert not same(*steps)


@pytest.mark.parametrize("unroll", ["first_order", "exact", "finite_difference"])
def test_searches_of_every_order_resume_in_mid_epoch(unroll):
    made = problem(f"estimator.unroll={unroll}")
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


def test_slowness_of_images_is_refused():
    with pytest.raises(RequestError) as error:
        Problem("estimator.slowness=0.1").estimator()
    assert str(error.value) == ("estimator.slowness=0.1 is of a text's hidden states; set it to 0 for this data set")
