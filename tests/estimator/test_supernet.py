"""Shared weights: what is trained on what and when, and what a score is."""

import logging
import math
from copy import deepcopy

import pytest
import torch
from torch import nn

from nasctl.core import Candidate
from nasctl.errors import RequestError, RunError
from nasctl.estimator.unroll._bilevel import gradient
from tests.small import Problem, fit, relaxed, rounds, same

STEPS = 3  # of an epoch: 72 images in batches of 32


def until_spent(estimator, sample, ask, epochs):
    """Run the loop of a search whose budget is ``epochs``; return the evaluations."""
    evaluations = []
    while True:
        fit(estimator, sample)
        if estimator.epoch >= epochs:
            return evaluations
        evaluations.append(estimator.evaluate(ask(), 0))


def test_scoring_a_path_computes_no_gradient_and_moves_no_weight():
    problem = Problem("budget.epochs=2")
    estimator, graphs = problem.estimator(), []
    before = deepcopy(dict(estimator.net.named_parameters()))
    estimator.net.classifier.register_forward_hook(lambda m, x, y: graphs.append(y.requires_grad))
    estimator.evaluate(Candidate(problem.arch(0)), 0)
    assert graphs == [False]
    assert same(before, dict(estimator.net.named_parameters()))


@pytest.mark.parametrize("val_batches, read", [(1, [0]), (2, [0, 1]), (9, [0, 1, 2]), ("null", [0, 1, 2])])
def test_a_path_is_scored_on_so_many_validation_batches(val_batches, read):
    problem = Problem("budget.epochs=2", f"estimator.val_batches={val_batches}")
    estimator = problem.estimator()
    metrics = estimator.evaluate(Candidate(problem.arch(0)), 0).metrics
    assert problem.data.log == [("val", 0, step) for step in read]
    with torch.no_grad():
        batches = [problem.data.val().batch(32, 0, step) for step in read]
        logits = [estimator.net(x, Candidate(problem.arch(0))) for x, _ in batches]
    targets = torch.cat([y for _, y in batches])
    right = (torch.cat(logits).argmax(1) == targets).sum().item()
    assert metrics["error"] == pytest.approx(100 - 100 * right / len(targets))


@pytest.mark.parametrize(
    "val_batches, read",
    [(1, [[(0, 0)], [(0, 1)], [(0, 2)], [(1, 0)]]), ("null", [[(0, 0), (0, 1), (0, 2)]] * 4)],
)
def test_each_weight_step_moves_on_to_other_validation_batches_unless_all_are_used(val_batches, read):
    problem = Problem("budget.epochs=2", f"estimator.val_batches={val_batches}")
    rounds(problem, problem.estimator(), [0, 2, 4, 6])
    found = [entry[1:] for entry in problem.data.log if entry[0] == "val"]
    assert found == [position for positions in read for position in positions]


@pytest.mark.parametrize("bilevel", [True, False])
def test_rows_and_weights_learn_from_the_batches_of_their_level(bilevel):
    problem = Problem("budget.epochs=2", f"estimator.bilevel={str(bilevel).lower()}")
    estimator, rates = problem.estimator(), []
    estimator.optimizer.sgd.register_step_pre_hook(lambda o, *_: rates.append(o.param_groups[0]["lr"]))
    evaluations = until_spent(estimator, lambda: relaxed(problem, 5), lambda: relaxed(problem, 7), 2)
    steps = STEPS if bilevel else 5  # 144 images, train and validation together
    assert len(evaluations) == len(rates) == 2 * steps
    positions = [divmod(t, steps) for t in range(2 * steps)]
    each = ("train", "val", "train") if bilevel else ("full", "full")  # rows, then weights on the same batch
    assert problem.data.log == [(split, *position) for position in positions for split in each]


def test_without_levels_rows_and_weights_see_the_same_loss():
    problem = Problem("budget.epochs=2", "estimator.bilevel=false")
    estimator, rows = problem.estimator(), problem.rows(1)
    evaluation = estimator.evaluate(Candidate((), rows), 0)
    x, y = problem.data.full().batch(32, 0, 0)
    loss = problem.data.loss(estimator.net(x, Candidate((), rows)), y)
    assert evaluation.loss.item() == pytest.approx(loss.item(), rel=1e-5)


def test_the_rate_falls_along_the_cosine_by_epoch():
    problem = Problem("budget.epochs=4", "estimator.optimizer.lr=0.5", "estimator.optimizer.lr_min=0.1")
    estimator, rates = problem.estimator(), []
    estimator.optimizer.sgd.register_step_pre_hook(lambda o, *_: rates.append(o.param_groups[0]["lr"]))
    until_spent(estimator, lambda: Candidate(problem.arch(0)), lambda: Candidate(problem.arch(0)), 4)
    by_epoch = [0.1 + 0.4 * (1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)]
    assert by_epoch[0] == 0.5 and by_epoch[2] == pytest.approx(0.3)
    assert rates == pytest.approx([rate for rate in by_epoch for _ in range(STEPS)])


def test_the_rate_decays_by_epoch_once_it_begins_to():
    decay = ["estimator.optimizer.lr_decay=0.5", "estimator.optimizer.lr_decay_from=2"]
    problem = Problem("budget.epochs=4", "estimator.optimizer.lr=0.5", "estimator.optimizer.lr_min=0.5", *decay)
    estimator, rates = problem.estimator(), []
    estimator.optimizer.sgd.register_step_pre_hook(lambda o, *_: rates.append(o.param_groups[0]["lr"]))
    until_spent(estimator, lambda: Candidate(problem.arch(0)), lambda: Candidate(problem.arch(0)), 4)
    assert rates == [rate for rate in (0.5, 0.5, 0.25, 0.125) for _ in range(STEPS)]


def test_the_rate_is_constant_without_epochs():
    problem = Problem("estimator.optimizer.lr=0.5")
    estimator, rates = problem.estimator(), []
    estimator.optimizer.sgd.register_step_pre_hook(lambda o, *_: rates.append(o.param_groups[0]["lr"]))
    rounds(problem, estimator, [0, 2, 4, 6, 8])
    assert rates == [0.5] * 4  # the fifth evaluation's weight step is still to come


def test_the_last_evaluation_of_a_spent_budget_takes_no_weight_step():
    problem = Problem("budget.epochs=1")
    estimator = problem.estimator()
    until_spent(estimator, lambda: Candidate(problem.arch(0)), lambda: Candidate(problem.arch(0)), 1)
    before = deepcopy(estimator.net.classifier.weight)
    estimator.evaluate(Candidate(problem.arch(0)), 0)
    estimator.fit(lambda: Candidate(problem.arch(0)))
    assert estimator.epoch == 1 and torch.equal(before, estimator.net.classifier.weight)


def test_one_evaluation_is_followed_by_one_weight_step_however_often_it_is_fit():
    problem = Problem("budget.epochs=2")
    estimator = problem.estimator()
    estimator.evaluate(relaxed(problem, 0), 0)
    for _ in range(3):
        estimator.fit(lambda: Candidate(problem.arch(0)))
    assert problem.data.log == [("train", 0, 0), ("val", 0, 0), ("train", 0, 0)]


def test_warm_up_trains_weights_before_the_first_evaluation():
    problem = Problem("budget.epochs=2", "estimator.schedule.warmup_epochs=1")
    estimator = problem.estimator()
    shown = fit(estimator, lambda: Candidate(problem.arch(0)))
    warm_up = [("train", 0, step) for step in range(STEPS)]
    assert problem.data.log == warm_up
    assert [values["warmup_share"] for values in shown] == pytest.approx([1 / 3, 2 / 3])
    until_spent(estimator, lambda: relaxed(problem, 0), lambda: relaxed(problem, 1), 2)
    each = ("train", "val", "train")
    assert problem.data.log == warm_up + [(split, 1, step) for step in range(STEPS) for split in each]


def test_a_longer_warm_up_than_training_is_refused():
    with pytest.raises(RequestError, match=r"schedule.warmup_epochs=3 must be at most estimator.epochs=2.0"):
        Problem("budget.epochs=2", "estimator.schedule.warmup_epochs=3").estimator()
    with pytest.raises(RequestError, match=r"set estimator.epochs"):
        Problem("estimator.schedule.warmup_epochs=1").estimator()


def reference(net, problem, rows, *, steps, lr, clip):
    """Train as algorithm 1 of DARTS reads: rows on validation batches (first order), then weights."""
    optimizer = torch.optim.SGD(net.parameters(), lr, 0.9, weight_decay=3e-4)
    slopes = []
    for t in range(steps):
        x, y = problem.data.val().batch(32, 0, t)
        loss = problem.data.loss(net(x, Candidate((), rows)), y)
        slopes.append(torch.cat(torch.autograd.grad(loss, rows)))
        x, y = problem.data.train().batch(32, 0, t)
        optimizer.zero_grad()
        problem.data.loss(net(x, Candidate((), rows)), y).backward()
        nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
    return slopes


@pytest.mark.parametrize("clip", [0.5, 1e9])
def test_a_first_order_search_is_algorithm_1_written_out(clip):
    problem = Problem("budget.epochs=1", f"estimator.optimizer.clip={clip}", "estimator.speed.channels_last=false")
    estimator, rows = problem.estimator(), problem.rows(1)
    net = deepcopy(estimator.net)
    expected = reference(net, problem, rows, steps=STEPS, lr=0.025, clip=clip)
    found = []
    for _ in range(STEPS):
        evaluation = estimator.evaluate(Candidate((), rows), 0)
        found.append(torch.cat(torch.autograd.grad(evaluation.loss, rows)))
        estimator.fit(lambda: Candidate((), [row.detach() for row in rows]))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(
        dict(estimator.net.named_parameters()), dict(net.named_parameters()), rtol=1e-4, atol=1e-6
    )


def test_the_virtual_step_is_the_weight_step_that_follows():
    problem = Problem("budget.epochs=2", "estimator.optimizer.clip=1e9")
    estimator, virtual = problem.estimator(), []

    def looking_ahead(problem, rows, net):
        weights = problem.weights
        ahead = problem.step(weights, gradient(problem.train(weights, rows), list(weights.values())))
        virtual.append({name: w.detach() for name, w in ahead.items()})
        return problem.val(weights, rows)

    estimator.mixture_loss.unroll.loss = looking_ahead
    for t in range(STEPS + 1):  # into the second epoch, where the rate is lower
        estimator.evaluate(relaxed(problem, 3), 0)
        estimator.fit(lambda: relaxed(problem, 3))
        found = {name: w.detach() for name, w in estimator.net.named_parameters()}
        torch.testing.assert_close(virtual[t], found, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("unroll, passes", [("first_order", 1), ("exact", 4), ("finite_difference", 4)])
def test_the_choice_is_that_of_the_gradient(unroll, passes):
    problem = Problem("budget.epochs=2", f"estimator/unroll={unroll}")
    estimator, rows = problem.estimator(), problem.rows(1)
    evaluation = estimator.evaluate(Candidate((), rows), 0)
    assert evaluation.work == 3 * 32 * passes * estimator.runner.macs(Candidate((), rows))
    assert sum(slope.abs().sum() for slope in torch.autograd.grad(evaluation.loss, rows)) > 0
    assert evaluation.loss.item() == pytest.approx(evaluation.metrics["loss"], rel=1e-5)


def test_norms_use_the_batch_even_after_the_network_was_put_to_evaluation():
    problem = Problem("budget.epochs=2")
    estimator = problem.estimator()
    expected = estimator.evaluate(Candidate(problem.arch(0)), 0).metrics
    estimator.net.eval()
    assert estimator.evaluate(Candidate(problem.arch(0)), 0).metrics == expected


def test_size_replaces_parts_of_the_form():
    counts = [
        sum(w.numel() for w in Problem(*size).estimator().net.parameters())
        for size in ((), ("+estimator.size.channels=2",), ("space.search.channels=2",))
    ]
    assert counts[0] > counts[1] == counts[2]


@pytest.mark.parametrize("seed", [0, 1])  # a picked path, a mixture
def test_a_loss_that_is_no_number_names_the_step_and_the_remedy(seed):
    problem = Problem("budget.epochs=2", "estimator.optimizer.lr=1e30")
    estimator = problem.estimator()
    with pytest.raises(RunError, match=r"loss is (nan|inf) at step [1-5]; lower estimator.optimizer.lr \(now 1e\+30\)"):
        rounds(problem, estimator, [seed] * 6)


@pytest.mark.slow
@pytest.mark.parametrize(  # the compiler's front end alone, and with kernels, which take minutes to compile
    "backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.timeout(1800))]
)
def test_a_compiled_mixture_takes_the_same_search_steps(monkeypatch, caplog, backend):
    """Traced into one graph; a compilation that failed would have been logged."""
    monkeypatch.setattr(logging.getLogger("nasctl"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("nasctl"), "handlers", [])
    torch._dynamo.utils.counters.clear()
    compiler = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function, **o: compiler(function, **o, backend=backend))
    runs = [
        search_steps(Problem("space.nodes=2", f"estimator.speed.compile={on}").estimator()) for on in ("false", "true")
    ]
    for plain, compiled in zip(*runs, strict=True):
        assert torch.allclose(plain, compiled, rtol=1e-4, atol=1e-6)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 2  # rows with a gradient, and without
    assert not [r for r in caplog.records if r.name.startswith("nasctl")]


def search_steps(estimator, steps=2):
    """Return losses and gradients of steps of architecture and weights, and the weights."""
    found, rows = [], [torch.full((8,), 0.125, requires_grad=True) for _ in range(10)]
    arch = (0,) * 12
    estimator.fit(lambda: pytest.fail("no warm-up"))
    for _ in range(steps):
        loss = estimator.evaluate(Candidate(arch, rows), 0).loss
        found += [loss.detach(), *torch.autograd.grad(loss, rows)]
        estimator.fit(lambda: Candidate(arch, [row.detach() for row in rows]))
    return [*found, *estimator.net.state_dict().values()]


def test_what_differentiates_twice_runs_without_the_compiler(monkeypatch, caplog):
    monkeypatch.setattr(logging.getLogger("nasctl"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("nasctl"), "handlers", [])
    monkeypatch.setattr(torch, "compile", lambda *_, **__: pytest.fail("compiled"))
    Problem("estimator/unroll=exact", "estimator.speed.compile=true").estimator()
    assert [record.getMessage() for record in caplog.records] == [
        "estimator.speed.compile=true: this estimator/unroll differentiates twice; going on without it"
    ]
