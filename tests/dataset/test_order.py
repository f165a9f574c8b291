"""The order of examples: pure, whole, and another in each epoch, split and seed."""

import pytest
import torch

from nasctl.dataset._order import Order

CPU = torch.device("cpu")


def order(seed=0, name="train", shuffle=True):
    return Order(torch.arange(100, 110), CPU, seed, name, shuffle=shuffle)


def epoch(order, number, size=4):
    return torch.cat([order.batch(size, number, step) for step in range(3)]).tolist()


def test_an_epoch_holds_every_example_once():
    for number in range(5):
        assert sorted(epoch(order(), number)) == list(range(100, 110))


def test_the_last_batch_is_smaller_and_the_next_is_refused():
    assert len(order().batch(4, 0, 2)) == 2
    for step in (3, -1):
        with pytest.raises(IndexError, match=rf"train: step {step} is not in 0\.\.2 for batches of 4"):
            order().batch(4, 0, step)


def test_epochs_seeds_and_splits_differ():
    assert len({tuple(epoch(order(), number)) for number in range(5)}) == 5
    assert epoch(order(), 0) != epoch(order(seed=1), 0)
    assert epoch(order(), 0) != epoch(order(name="val"), 0)


def test_the_order_of_calls_does_not_matter():
    asked = order()
    forth = [epoch(asked, number) for number in (0, 1, 2)]
    back = [epoch(asked, number) for number in (2, 1, 0)]
    assert forth == back[::-1] == [epoch(order(), number) for number in (0, 1, 2)]


def test_without_shuffling_the_order_is_the_given_one():
    assert epoch(order(shuffle=False), 7) == list(range(100, 110))


def test_positions_have_seeds_of_their_own():
    seeds = {order(seed, name).at(e, s) for seed in (0, 1) for name in "ab" for e in (0, 1) for s in (0, 1)}
    assert len(seeds) == 16
