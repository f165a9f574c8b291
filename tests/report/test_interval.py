"""Student's quantiles, the rule of differences and corrections for several, against scipy and worked examples."""

import random
import statistics
import subprocess
import sys
from itertools import pairwise

import pytest
from scipy import stats

from nasctl.report._statistics import median, multiple, proportion, quotient, student
from nasctl.report._statistics.figure import Figure
from nasctl.report._statistics.interval import (
    RULE,
    Difference,
    between,
    from_value,
    gain,
    half_width,
    paired,
    quantile,
    remarks,
    together,
    welch,
)


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


@pytest.mark.parametrize("freedom", [1, 1.5, 9.947, 499, 1e4, 1e6, 1e9, 1e15])
@pytest.mark.parametrize("level", [0.5, 0.95, 1 - 0.05 / 3486])
def test_quantiles_are_scipys_at_any_degrees_of_freedom(level, freedom):
    assert quantile(level, freedom) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom), rel=1e-9)
    assert student.two_sided(-2.5, freedom) == pytest.approx(2 * stats.t.sf(2.5, freedom), rel=1e-9)


def test_quantiles_between_whole_degrees_lie_between():
    found = [quantile(0.95, 1 + i / 10) for i in range(60)]
    assert all(a > b for a, b in pairwise(found))


def test_reading_reports_imports_scipy_only_when_an_interval_is_printed():
    code = "import sys, nasctl.report.view.comparison, nasctl.report.listing; "
    code += "assert not any(m.split('.')[0] in ('scipy', 'numpy') for m in sys.modules)"
    more = "; from nasctl.report._statistics.interval import quantile; quantile(.95, 2)"
    more += "; assert 'scipy.stats' not in sys.modules"
    subprocess.run([sys.executable, "-c", code + more], check=True)


def test_welchs_interval_of_a_worked_example():
    a, b = Figure(20.0, 2.0, 4), Figure(23.0, 4.0, 8)  # squared standard errors 1 and 2, degrees 9 / (1/3 + 4/7)
    found = welch(a, b)
    assert found.value == -3.0
    half = quantile(0.95, 189 / 19) * 3**0.5
    assert (found.low, found.high) == (pytest.approx(-3 - half), pytest.approx(-3 + half))
    assert half == pytest.approx(2.2300 * 3**0.5, abs=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_at_the_bounds_of_a_quotient_the_difference_is_just_significant(seed):
    """Fieller's bounds by their definition, with the degrees of freedom of Welch's t between equally many values."""
    draw = random.Random(seed)
    a, b = (Figure(draw.uniform(60, 95), draw.uniform(0.1, 5), 4) for _ in range(2))
    found, q = gain(a, b), a.mean / b.mean
    assert found.value == pytest.approx(q - 1)
    parts = [a.std**2 / 4, (q * b.std) ** 2 / 4]
    t = stats.t.ppf(0.975, sum(parts) ** 2 / sum(part**2 / 3 for part in parts))
    for bound in (1 + found.low, 1 + found.high):
        error = (a.std**2 / 4 + (bound * b.std) ** 2 / 4) ** 0.5
        assert abs(a.mean - bound * b.mean) == pytest.approx(t * error, rel=1e-6)
    assert found.low < found.value < found.high


def test_a_quotient_of_means_that_do_not_vary_is_exact_and_one_by_zero_has_no_bounds():
    same = gain(Figure(84.0, 0.0, 3), Figure(80.0, 0.0, 3))
    assert (same.low, same.value, same.high) == pytest.approx((0.05, 0.05, 0.05))
    assert quotient.fieller(3.0, 2.0, (0.1, 1.0), 2.0) is None and quotient.fieller(3.0, 2.0, (0.1, 1.0), 1.9)
    assert gain(Figure(84.0, None, 1), Figure(80.0, 2.0, 8)).low is None
    assert gain(Figure(84.0, 1.0, 4), Figure(80.0, None, 1)).low is None


def test_a_difference_to_an_exact_value_has_students_interval():
    values = [2.9, 3.1, 3.4]
    expected = stats.ttest_1samp(values, 2.76).confidence_interval()
    found = from_value(Figure.of(values), 2.76)
    assert (found.low, found.high) == pytest.approx((expected.low - 2.76, expected.high - 2.76))
    assert str(from_value(Figure(2.76, None, 1), 2.76)) == "+0.00" == str(from_value(Figure(2.7599, None, 1), 2.76))


# Of the tables of the sign test, such as Conover 1999, Practical Nonparametric Statistics
@pytest.mark.parametrize(
    ("n", "expected"),
    [(1, None), (5, None), (6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (10, (2, 9)), (15, (4, 12)), (20, (6, 15)),
     (30, (10, 21)), (100, (40, 61))],
)  # fmt: skip
def test_the_interval_of_a_median_lies_between_order_statistics(n, expected):
    assert median.bounds(random.Random(n).sample(range(1, n + 1), n), 0.95) == expected


A, B = {0: 3.0, 1: 3.2, 2: 3.4, 3: 3.7}, {0: 3.1, 1: 3.5, 2: 3.9, 3: 4.3}


def test_shared_seeds_are_compared_in_pairs():
    expected = stats.ttest_rel([A[k] for k in range(4)], [B[k] for k in range(4)])
    found = between(A, dict(reversed(B.items())))
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert found.p == pytest.approx(expected.pvalue) and found.by == "pairs, n=4"


@pytest.mark.parametrize(
    ("a", "b", "by"),
    [
        (A, {k + 10: v for k, v in B.items()}, "Welch, n=4 and 4"),
        (A, {0: 3.1, 11: 3.5}, "Welch, n=4 and 2"),
        (A, {0: 3.1, 1: 3.5, 12: 3.9, 13: 4.3}, "pairs, n=2"),
        (A, {0: 3.1, 1: 3.5}, "pairs, n=2"),
        ({k: float(k) for k in range(9)}, {k: k * 1.1 for k in range(6, 15)}, "Welch, n=9 and 9"),
    ],
)
def test_which_interval_a_difference_gets(a, b, by):
    assert between(a, b).by == by


def test_seeds_that_pair_nothing_are_welchs():
    found, expected = (
        between(A, B, pairable=False),
        stats.ttest_ind(list(A.values()), list(B.values()), equal_var=False),
    )
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert found.p == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(("n", "m", "freedom"), [(2, 8, 1), (3, 4, 2), (9, 30, 8), (4, 4, None), (10, 30, None)])
def test_the_smaller_of_unequal_groups_sets_the_degrees_of_freedom_while_it_is_small(n, m, freedom):
    draw = random.Random(n)
    a, b = ({key + k: draw.gauss(0, 1) for k in range(size)} for key, size in ((0, n), (100, m)))
    found, plain = between(a, b), welch(Figure.of(a.values()), Figure.of(b.values()))
    assert found.freedom == (freedom or plain.freedom)
    assert found.high - found.low >= plain.high - plain.low - 1e-12


@pytest.mark.parametrize("a, b", [([1.0], [2.0, 3.0]), ([1.0, 4.0], [2.0]), ([1.0], [2.0])])
def test_a_single_value_has_a_difference_and_no_interval(a, b):
    expected = statistics.fmean(a) - statistics.fmean(b)
    assert welch(Figure.of(a), Figure.of(b)) == Difference(expected, None, None)
    assert between(dict(enumerate(a)), dict(enumerate(b))) == Difference(expected, None, None)


def test_values_without_spread_have_an_interval_without_width_and_no_p():
    found = welch(Figure.of([3.0, 3.0]), Figure.of([2.0, 2.0]))
    assert found == Difference(1.0, 1.0, 1.0) and found.p is None
    assert paired([0.1 + 0.2 - 0.2, 0.1, 0.1]).p is None  # what rounding leaves is no spread


def test_how_a_difference_is_written():
    assert str(Difference(-0.254, -1.0, 0.5)) == "-0.25 [-1.00, +0.50]"
    assert str(Difference(0.3, None, None)) == "+0.30"


@pytest.mark.parametrize(
    ("values", "n", "half"),
    [([1.0, 2.0], 2, 12.7062 * 0.5), ([1.0, 2.0, 3.0], 3, 4.30265 / 3**0.5), ([1.0], 1, None)],
)
def test_the_half_width_of_a_mean_is_students(values, n, half):
    assert half_width(Figure.of(values)) == (half and pytest.approx(half, rel=1e-5))


@pytest.mark.parametrize(
    ("values", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # a textbook example of Holm's method
        ([0.5], [0.5]), ([], []), ([0.9, 0.8], [1.0, 1.0]), ([0.02, 0.02, 0.02], [0.06] * 3),
        ([0.012, 0.042, *[0.2] * 19], [0.252, 0.84, *[1.0] * 19]),  # the claims after 100 look-ups of 21 pairs
    ],
)  # fmt: skip
def test_holms_p_values(values, adjusted):
    assert multiple.holm(values) == pytest.approx(adjusted)


def test_the_intervals_of_a_table_are_at_bonferronis_level_and_p_is_holms():
    draw = random.Random(4)
    found = [paired([draw.gauss(mean, 1) for _ in range(6)]) for mean in (0, 0.5, 2)]
    corrected = together(found)
    for each, single, adjusted in zip(corrected, found, multiple.holm([f.p for f in found]), strict=True):
        assert (each.high - each.low) / (single.high - single.low) == pytest.approx(
            stats.t.ppf(1 - 0.05 / 6, 5) / stats.t.ppf(0.975, 5)
        )
        assert each.adjusted == pytest.approx(adjusted) and each.value == single.value
    assert remarks(corrected)[0] == RULE and "3 intervals that all hold at once with 95 %" in remarks(corrected)[1]


def test_a_single_comparison_is_not_corrected():
    single, without = paired([0.1, 0.4, 0.2]), Difference(0.1, None, None)
    assert together([single, without]) == [single, without]
    assert together([single])[0].adjusted == pytest.approx(single.p)
    rule, brackets, failures = remarks(together([single, without]))
    assert (rule, brackets, remarks([without])) == (RULE, "Brackets: 95 % interval.", [])
    assert "if none of 3 searches failed outright, up to 63 % of such searches may" in failures  # 1 - .05 ** (1 / 3)
    assert len(remarks([paired(list(range(59)))])) == 2  # a failure of more than 5 % would have been seen


@pytest.mark.parametrize("trials", [1, 2, 10, 101])
def test_the_interval_of_a_share_is_scipys(trials):
    for successes in {0, 1, trials // 3, trials}:
        expected = stats.binomtest(successes, trials).proportion_ci(method="exact")
        assert proportion.exact(successes, trials, 0.95) == pytest.approx(tuple(expected), abs=1e-9)
