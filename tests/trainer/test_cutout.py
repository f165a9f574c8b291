"""Cutout: the size and place of the holes, and that they are a pure function of seed and position."""

import math

import numpy as np
import pytest
import torch

from nasctl.trainer._cutout import Cutout, cut
from tests.small import CPU

SIDE = 8


def holes(share, count=5000, *, seed=0, position=0, shape=(3, SIDE, SIDE), at="centre"):
    """Return where images ``(count, *shape)`` were cut, as bool."""
    return Cutout(share, seed, CPU, at)(torch.ones(count, *shape), position) == 0


def chi_squared(counts):
    counts = np.asarray(counts, dtype=float)
    return ((counts - counts.mean()) ** 2 / counts.mean()).sum()


@pytest.mark.parametrize("side", [2, 4, 6])
def test_it_has_the_area_and_the_centres_of_the_paper(side):
    found = holes(side / SIDE)
    assert (found == found[:, :1]).all()  # the same hole in every channel
    lengths = [min(y + side // 2, SIDE) - max(y - side // 2, 0) for y in range(SIDE)]
    area = found[:, 0].float().sum((1, 2))
    expected, square = np.mean(lengths) ** 2, np.mean(np.square(lengths)) ** 2
    deviation = math.sqrt(square - expected**2)
    assert abs(area.mean().item() - expected) < 4 * deviation / math.sqrt(5000)
    for axis in (1, 2):  # the first row of a hole is its centre's less half the side, clipped
        hit = found[:, 0].any(3 - axis).float()
        first, last = hit.argmax(1), SIDE - 1 - hit.flip(1).argmax(1)
        centre = torch.where(first > 0, first + side // 2, last - side // 2 + 1)
        assert chi_squared(torch.bincount(centre, minlength=SIDE)) < 24.3  # 7 degrees of freedom, p = 0.001


@pytest.mark.parametrize("side", [2, 4, 6])
def test_at_the_corner_it_overhangs_only_below_and_on_the_right(side):
    found = holes(side / SIDE, at="corner")[:, 0]
    for axis in (1, 2):
        hit = found.any(3 - axis).float()
        first, length = hit.argmax(1), hit.sum(1)
        assert chi_squared(torch.bincount(first, minlength=SIDE)) < 24.3  # 7 degrees of freedom, p = 0.001
        assert torch.equal(length, (SIDE - first).clamp(max=side).float())


def test_it_clips_at_the_border_as_the_authors_code_does():
    rows, columns = torch.arange(SIDE).repeat_interleave(SIDE), torch.arange(SIDE).repeat(SIDE)
    found = cut(torch.ones(SIDE * SIDE, 1, SIDE, SIDE), rows, columns, 4)
    for mask, y, x in zip(found[:, 0], rows.tolist(), columns.tolist(), strict=True):
        expected = torch.ones(SIDE, SIDE)
        expected[max(y - 2, 0) : y + 2, max(x - 2, 0) : x + 2] = 0
        assert torch.equal(mask, expected)


@pytest.mark.parametrize(
    "share, shape, side", [(0.5, (3, 32, 32), 16), (0.25, (3, 32, 32), 8), (0.25, (1, 8, 8), 2), (0.5, (1, 8, 20), 4)]
)
def test_the_side_is_a_share_of_the_shorter_side(share, shape, side):
    areas = holes(share, 500, shape=shape).float().sum((1, 2, 3))
    assert areas.max() == shape[0] * side**2


def test_what_is_not_cut_stays_and_the_batch_is_not_written_to():
    images = torch.randn(50, 3, SIDE, SIDE) + 10
    before = images.clone()
    found = Cutout(0.5, 0, CPU, "centre")(images, 0)
    assert torch.equal(images, before) and torch.equal(found[found != 0], before[found != 0])


def test_no_share_is_no_hole():
    images = torch.ones(2, 3, SIDE, SIDE)
    assert Cutout(0.0, 0, CPU, "centre")(images, 0) is images


def test_the_holes_are_a_pure_function_of_seed_and_position():
    cutout, images = Cutout(0.5, 0, CPU, "centre"), torch.ones(50, 3, SIDE, SIDE)
    forth = [cutout(images, position) for position in (0, 1, 2)]
    back = [Cutout(0.5, 0, CPU, "centre")(images, position) for position in (2, 1, 0)][::-1]
    assert all(map(torch.equal, forth, back))
    assert not torch.equal(forth[0], forth[1])
    assert not torch.equal(forth[0], Cutout(0.5, 1, CPU, "centre")(images, 0))


def test_the_global_random_stream_is_neither_read_nor_moved():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = holes(0.5, 50)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first, holes(0.5, 50))
