"""Rank statistics against scipy's, on the sample and on every resample."""

import numpy
import pytest
from scipy.stats import kendalltau, spearmanr

from nasctl.report._statistics import rank


@pytest.fixture(params=[(40, 1000), (40, 6), (600, 50)], ids=["no ties", "ties", "blocks"])
def sample(request):
    items, values = request.param
    draw = numpy.random.default_rng(3)
    a = draw.integers(values, size=items).astype(float)
    return a, a + draw.integers(values, size=items), rank.draws(items, 20, 0)


def drawn(values, row):
    return numpy.repeat(values, row.astype(int))


def test_draws_are_as_many_as_items_and_the_first_is_the_sample():
    found = rank.draws(30, 500, 0)
    assert found.shape == (501, 30) and (found[0] == 1).all() and (found.sum(1) == 30).all()
    assert abs(found[1:].mean(0) - 1).max() < 0.2 and found[1:].var() == pytest.approx(29 / 30, rel=0.1)
    assert (found[1:] != rank.draws(30, 500, 1)[1:]).any()


def test_tau_is_scipys_on_every_resample(sample):
    a, b, draws = sample
    expected = [kendalltau(drawn(a, row), drawn(b, row)).statistic for row in draws]
    assert rank.kendall(a, b, draws) == pytest.approx(expected, abs=1e-6)


def test_rho_is_scipys_on_every_resample(sample):
    a, b, draws = sample
    expected = [spearmanr(drawn(a, row), drawn(b, row)).statistic for row in draws]
    assert rank.spearman(a, b, draws) == pytest.approx(expected, abs=1e-6)


def test_within_strata_only_pairs_of_equal_key_count():
    a, b = numpy.array([1.0, 2, 3, 4]), numpy.array([2.0, 1, 4, 3])  # disagree within the halves, agree across
    draws, keys = rank.draws(4, 1, 0), numpy.array([0.0, 0, 1, 1])
    assert rank.kendall(a, b, draws)[0] == pytest.approx(1 / 3)
    assert rank.kendall(a, b, draws, keys)[0] == -1
    assert rank.kendall(a, b, draws, numpy.zeros(4))[0] == pytest.approx(1 / 3)
    assert numpy.isnan(rank.kendall(a, b, draws, numpy.arange(4.0))[0])


def test_hits_are_the_shared_part_of_the_best():
    a = numpy.arange(20.0)
    b = a.copy()
    b[[19, 0]] = b[[0, 19]]  # the best becomes the worst
    draws = rank.draws(20, 50, 0)
    assert rank.hits(a, a, 0.2, draws).tolist() == [1.0] * 51
    assert rank.hits(a, b, 0.2, draws)[0] == 3 / 4
    assert rank.hits(a, -a, 0.2, draws)[0] == 0
    for row, found in zip(draws, rank.hits(a, b, 0.2, draws), strict=True):
        tops = [sorted(drawn(numpy.arange(20), row), key=lambda i, x=x: -x[i])[:4] for x in (a, b)]
        assert found == sum(min(tops[0].count(i), tops[1].count(i)) for i in range(20)) / 4


def test_intervals_are_percentiles_and_widen_with_fewer_items():
    assert rank.interval(numpy.array([0.5, *numpy.linspace(0, 1, 1001)])) == pytest.approx((0.5, 0.025, 0.975))
    draw = numpy.random.default_rng(0)
    widths = []
    for items in (20, 200):
        a = draw.normal(size=items)
        _, low, high = rank.interval(rank.kendall(a, a + draw.normal(size=items), rank.draws(items, 300, 0)))
        widths.append(high - low)
    assert widths[0] > 2 * widths[1]


def test_what_does_not_exist_is_none():
    flat, draws = numpy.ones(5), rank.draws(5, 10, 0)
    assert rank.interval(rank.kendall(flat, numpy.arange(5.0), draws)) is None
    assert rank.interval(rank.spearman(flat, flat, draws)) is None
