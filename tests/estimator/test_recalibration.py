"""Batch-norm statistics of one path, from training data, before it is scored."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from nasctl.core import Candidate
from nasctl.errors import RequestError
from nasctl.estimator._recalibration import Recalibration
from nasctl.estimator._streams import Examples
from tests.small import Problem, fit, rounds, same, through_a_file


def test_the_norms_use_the_mean_statistics_of_the_batches():
    norm, draw = nn.BatchNorm1d(4, affine=False), torch.Generator().manual_seed(0)
    net, batches = nn.Sequential(norm), [5 + 3 * torch.randn(16, 4, generator=draw) for _ in range(3)]
    x = torch.randn(2, 4, generator=draw)
    for _ in range(4):
        net(100 * torch.randn(16, 4, generator=draw))  # what training has left
    with Recalibration(net, 3).applied(lambda i: net(batches[i])):
        found = net(x)
    mean = torch.stack([batch.mean(0) for batch in batches]).mean(0)
    variance = torch.stack([batch.var(0) for batch in batches]).mean(0)
    torch.testing.assert_close(found, (x - mean) / (variance + norm.eps).sqrt())
    assert net.training and norm.momentum == 0.1


def test_without_batches_nothing_is_run_and_the_network_goes_on_training():
    net = nn.Sequential(nn.BatchNorm1d(4))
    with Recalibration(net, 0).applied(lambda i: pytest.fail("no batch was asked for")):
        assert net.training


def test_an_error_within_leaves_the_network_as_it_was():
    net = nn.Sequential(nn.BatchNorm1d(4))
    with pytest.raises(ZeroDivisionError), Recalibration(net, 1).applied(lambda i: net(torch.randn(3, 4))):
        raise ZeroDivisionError
    assert net.training and net[0].momentum == 0.1


def test_a_score_after_recalibration_does_not_depend_on_the_size_of_the_scoring_batch():
    scores = {}
    for recalibrate in (0, 2):
        for size in (32, 24):
            problem = Problem(
                "budget.epochs=2", "estimator.val_batches=null", f"estimator.statistics.recalibrate={recalibrate}"
            )
            estimator = problem.estimator()
            fixed = [problem.data.train().batch(32, 0, i) for i in range(2)]
            estimator.train.batch = fixed.__getitem__
            estimator.path_score.val = Examples(problem.data.val(), size, torch.channels_last)
            scores[recalibrate, size] = estimator.evaluate(Candidate(problem.arch(0)), 0).metrics["loss"]
    assert scores[0, 32] != pytest.approx(scores[0, 24], rel=1e-4)
    assert scores[2, 32] == pytest.approx(scores[2, 24], rel=1e-5)


def test_it_reads_the_same_training_batches_for_each_path_and_counts_their_work():
    problem = Problem("budget.epochs=2", "estimator.statistics.recalibrate=2")
    estimator = problem.estimator()
    for seed in (0, 1):
        evaluation = estimator.evaluate(Candidate(problem.arch(seed)), 0)
        assert evaluation.work == 3 * 32 * estimator.runner.macs(Candidate(problem.arch(seed)))
        fit(estimator, lambda: Candidate(problem.arch(2)))
    read = [entry for entry in problem.data.log if entry[0] == "train"]
    assert [position for *_, position in read] == [0, 1, 0, 0, 1, 1]  # two for a path, then that of the weight step


def test_the_score_of_a_path_is_not_that_of_what_was_scored_before():
    problem = Problem("budget.epochs=1", "estimator.statistics.recalibrate=2")
    estimator, arch = problem.estimator(), Candidate(problem.arch(0))
    alone = estimator.evaluate(arch, 0).metrics
    estimator.evaluate(Candidate(problem.arch(1)), 0)
    assert estimator.evaluate(arch, 0).metrics == alone


def test_resumed_it_goes_on_bit_for_bit():
    problem = Problem("budget.epochs=2", "estimator.statistics.recalibrate=1")
    whole, first, second = (problem.estimator() for _ in range(3))
    expected = rounds(problem, whole, range(4))
    head = rounds(problem, first, range(2))
    second.load_state_dict(through_a_file(first.state_dict()))
    assert head + rounds(problem, second, range(2, 4)) == expected
    assert same(second.state_dict(), whole.state_dict())


def paths_trained(*overrides):
    """Return a problem and its estimator after a few weight steps of uniform paths."""
    problem = Problem("budget.epochs=2", "estimator/sampler=uniform", "estimator.schedule.warmup_epochs=2", *overrides)
    estimator = problem.estimator()
    fit(estimator, lambda: Candidate(problem.arch(2)))
    return problem, estimator


def test_moving_averages_are_those_that_training_left():
    """As the released code of ENAS scores in its macro space: the network in evaluation, nothing recalibrated."""
    problem, estimator = paths_trained("estimator.statistics.norms=moving", "estimator.val_batches=null")
    net = deepcopy(estimator.net).eval()
    before = through_a_file(estimator.net.state_dict())
    for seed in range(3):
        candidate, sums, examples = Candidate(problem.arch(seed)), 0.0, 0
        for i in range(estimator.val.steps):
            x, y = problem.data.dataset.val().batch(32, 0, i)
            with torch.no_grad():
                sums += float(nn.functional.cross_entropy(net(x, candidate), y, reduction="sum"))
            examples += len(y)
        assert estimator.evaluate(candidate, 0).metrics["loss"] == pytest.approx(sums / examples, rel=1e-5)
    assert same(estimator.net.state_dict(), before) and estimator.net.training


def test_with_the_batchs_statistics_a_score_is_another_and_moves_the_averages():
    problem, moving = paths_trained("estimator.statistics.norms=moving")
    _, batch = paths_trained()
    before = through_a_file(batch.net.state_dict())
    losses = [estimator.evaluate(Candidate(problem.arch(0)), 0).metrics["loss"] for estimator in (moving, batch)]
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)
    assert not same(batch.net.state_dict(), before)


def test_moving_averages_and_recalibration_exclude_each_other():
    said = r"set estimator.statistics.norms=batch or estimator.statistics.recalibrate=0"
    with pytest.raises(RequestError, match=said):
        Problem(
            "budget.epochs=2", "estimator.statistics.recalibrate=3", "estimator.statistics.norms=moving"
        ).estimator()


@pytest.mark.parametrize("val_batches", [1, 2])
def test_candidates_that_are_compared_are_scored_on_the_same_batches(val_batches):
    problem, estimator = paths_trained(f"estimator.val_batches={val_batches}", "estimator.schedule.fit_every=50")
    read = []
    for compared in (False, True):
        for seed in range(3):
            del problem.data.log[:]
            estimator.evaluate(Candidate(problem.arch(seed), compared=compared), 0)
            read.append([position for name, *position in problem.data.log if name == "val"])
    own, same_ones = read[:3], read[3:]
    assert same_ones == [[[0, i] for i in range(val_batches)]] * 3
    assert len({str(batches) for batches in own}) == 3
