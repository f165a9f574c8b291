"""Student's quantiles and Welch's interval against tables and a worked example."""

import random
import statistics
from itertools import pairwise

import pytest

from nasctl.report.figure import Figure
from nasctl.report.interval import Difference, quantile, welch


# Of any table of Student's distribution; for one and two degrees of freedom there are closed forms
@pytest.mark.parametrize(
    ("level", "freedom", "t"),
    [
        (0.95, 1, 12.7062), (0.95, 2, 4.3027), (0.95, 3, 3.1824), (0.95, 4, 2.7764), (0.95, 5, 2.5706),
        (0.95, 10, 2.2281), (0.95, 30, 2.0423), (0.95, 120, 1.9799), (0.95, 1000, 1.9623),
        (0.99, 1, 63.6567), (0.99, 4, 4.6041), (0.5, 1, 1.0), (0.5, 2, 0.8165), (0.90, 7, 1.8946),
    ],
)  # fmt: skip
def test_quantiles_are_those_of_the_tables(level, freedom, t):
    assert quantile(level, freedom) == pytest.approx(t, abs=6e-5)


def test_quantiles_between_whole_degrees_lie_between():
    found = [quantile(0.95, 1 + i / 10) for i in range(60)]
    assert all(a > b for a, b in pairwise(found))


def test_welchs_interval_of_a_worked_example():
    a, b = Figure(20.0, 2.0, 4), Figure(23.0, 4.0, 8)  # squared standard errors 1 and 2, degrees 9 / (1/3 + 4/7)
    found = welch(a, b)
    assert found.value == -3.0
    half = quantile(0.95, 189 / 19) * 3**0.5
    assert (found.low, found.high) == (pytest.approx(-3 - half), pytest.approx(-3 + half))
    assert half == pytest.approx(2.2300 * 3**0.5, abs=1e-3)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    draw, hits, repeats = random.Random(0), 0, 200
    for _ in range(repeats):
        a = Figure.of([draw.gauss(5, 1) for _ in range(4)])
        b = Figure.of([draw.gauss(4, 3) for _ in range(4)])
        found = welch(a, b)
        hits += found.low < 1.0 < found.high
    assert abs(hits / repeats - 0.95) < 4 * (0.05 * 0.95 / repeats) ** 0.5


@pytest.mark.parametrize("a, b", [([1.0], [2.0, 3.0]), ([1.0, 4.0], [2.0]), ([1.0], [2.0])])
def test_a_single_value_has_a_difference_and_no_interval(a, b):
    expected = statistics.fmean(a) - statistics.fmean(b)
    assert welch(Figure.of(a), Figure.of(b)) == Difference(expected, None, None)


def test_values_without_spread_have_an_interval_without_width():
    assert welch(Figure.of([3.0, 3.0]), Figure.of([2.0, 2.0])) == Difference(1.0, 1.0, 1.0)


def test_how_a_difference_is_written():
    assert str(Difference(-0.254, -1.0, 0.5)) == "-0.25 [-1.00, +0.50]"
    assert str(Difference(0.3, None, None)) == "+0.30"
