"""The dictionary of keys against Python's own."""

import numpy as np
import pytest

from nasctl.dataset._vocabulary import Vocabulary


@pytest.mark.parametrize("spread", [1, 1 << 20, 0x9E3779B1])
def test_ids_are_one_to_one_and_stay(spread):
    draw, vocabulary, known = np.random.default_rng(0), Vocabulary(), {}
    for size in (0, 1, 7, 3000, 3000, 20_000):
        keys = (draw.integers(0, 4000 + 3 * size, size) * spread % 2**32).astype(np.uint32)
        ids = vocabulary.encode(keys)
        for key, i in zip(keys.tolist(), ids.tolist(), strict=True):
            assert known.setdefault(key, i) == i
    assert sorted(known.values()) == list(range(1, len(known) + 1))
    assert len(vocabulary) == len(known) > 3000
    assert vocabulary.keys().tolist() == sorted(known, key=known.__getitem__)


def test_the_smallest_and_the_largest_key():
    keys = np.array([0, 2**32 - 1, 0], np.uint32)
    vocabulary = Vocabulary()
    assert vocabulary.encode(keys).tolist() == [1, 2, 1]
    assert vocabulary.keys().tolist() == [0, 2**32 - 1]


def test_at_most_half_of_the_slots_are_in_use():
    vocabulary = Vocabulary()
    vocabulary.encode(np.arange(100_000, dtype=np.uint32))
    assert len(vocabulary._ids) >= 200_000 and np.count_nonzero(vocabulary._ids) == 100_000
