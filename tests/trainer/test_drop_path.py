"""Scheduled drop path, as the trainer sets it and networks apply it."""

import pytest
import torch

from nasctl.layers.blocks import DropPath
from tests.small import Problem, train

STEPS = 3  # of an epoch: 72 images in batches of 32


def test_drop_path_grows_linearly_from_zero():
    problem, seen = Problem("trainer.drop_path=0.2", "trainer.epochs=4"), []
    network = problem.network()
    train(problem, network, tick=lambda state, values: seen.append(network.drop_path.probability))
    assert seen == pytest.approx([0.2 * epoch / 4 for epoch in range(4) for _ in range(STEPS)])


@pytest.mark.parametrize("by", ["epoch", "step"])
@pytest.mark.parametrize("own", ["null", "epoch", "step"])
def test_it_may_grow_by_step_while_the_rate_falls_by_epoch(by, own):
    settings = [f"trainer.schedule.by={by}", f"trainer.drop_path_by={own}", "trainer.epochs=3"]
    problem, seen = Problem("trainer.drop_path=0.3", *settings), []
    network = problem.network()
    _, lines = train(problem, network, tick=lambda state, values: seen.append(network.drop_path.probability))
    stepwise = (by if own == "null" else own) == "step"
    assert seen == pytest.approx([0.3 * (i if stepwise else i // STEPS * STEPS) / (3 * STEPS) for i in range(9)])
    plain = train(Problem(f"trainer.schedule.by={by}", "trainer.epochs=3"))[1]
    assert [line["lr"] for line in lines] == [line["lr"] for line in plain]


def test_drop_path_changes_every_epoch_but_the_first():
    without, with_it = (train(Problem(f"trainer.drop_path={p}"))[1] for p in (0.0, 0.5))
    assert without[0] == with_it[0]
    assert without[1]["loss"] != with_it[1]["loss"]


def test_the_seed_decides_what_drop_path_drops():
    problem = Problem("trainer.drop_path=0.5")
    lines = [train(problem, seed=seed)[1] for seed in (0, 0, 1)]
    assert lines[0] == lines[1] and lines[0][0] == lines[2][0]  # nothing is dropped in epoch 0
    assert lines[0][1] != lines[2][1]


def test_drop_path_drops_whole_examples_and_keeps_the_mean():
    drop, x = DropPath(), torch.ones(1000, 3, 2, 2)
    drop.probability = 0.25
    torch.manual_seed(0)
    kept = drop(x).flatten(1)
    assert torch.equal(kept.amin(1), kept.amax(1))  # one factor an example
    assert sorted(kept[:, 0].unique().tolist()) == pytest.approx([0, 4 / 3])
    assert 0.2 < (kept[:, 0] == 0).float().mean() < 0.3
    assert torch.equal(drop.eval()(x), x)


def test_drop_path_leaves_identities_alone():
    problem = Problem("space.nodes=2")
    skips = [["skip_connect", source] for source in (0, 1, 0, 2)]
    convolutions = [["sep_conv_3x3", source] for source in (0, 1, 0, 2)]
    for cell, calls in ((skips, 0), (convolutions, 4)):
        genotype = {"normal": cell, "normal_concat": [2, 3], "reduce": skips, "reduce_concat": [2, 3]}
        network, dropped = problem.space.build(genotype, "final"), []
        network.drop_path.register_forward_hook(lambda m, x, y, dropped=dropped: dropped.append(1))
        network(torch.randn(2, 1, 8, 8))
        strided = 2 * 3  # in each of two reduction cells three skips halve the map: they are no identities
        assert len(dropped) == strided + calls
