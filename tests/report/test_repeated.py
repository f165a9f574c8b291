"""Differences between repeated searches against one table."""

import csv
import random
from pathlib import Path

import pytest
from fabricate import retrain
from scipy.stats import ttest_rel

from nasctl.report._statistics.figure import Figure
from nasctl.report._statistics.interval import between
from nasctl.report.command import compare
from tests.report.test_replicas import TABLE, line, repeated

DATA = Path(__file__).resolve().parents[2] / "docs" / "data"


def searches(root, name, errors, seeds=None, **changes):
    lines = [line(seed, error) for seed, error in zip(seeds or range(len(errors)), errors, strict=True)]
    choices = TABLE | {"strategy": name} | changes
    return repeated(root, lines, signature=name, choices=choices)


def drawn(mean, count=20, seed=0):
    draw = random.Random(seed)
    return [round(draw.gauss(mean, 0.2), 3) for _ in range(count)]


def test_two_methods_have_a_difference_paired_by_seed(root, compared):
    a, b = drawn(5.9), drawn(6.1, seed=1)
    searches(root, "regularized_evolution", a)
    searches(root, "random_search", b)
    [found] = compared()["repeated"]
    expected = ttest_rel(a, b)
    low, high = expected.confidence_interval()
    assert (found["method"], found["less"]) == ("regularized_evolution", "random_search")
    assert found["interval_by"] == "pairs, n=20" and found["p_holm"] == pytest.approx(expected.pvalue)
    assert (found["error_difference_low"], found["error_difference_high"]) == pytest.approx((low, high))
    text = compare([str(root)], width=250)
    assert "Differences of repeated searches" in text and "below zero the first is better" in text


@pytest.mark.parametrize("other", [{"estimator": "nats_size_table"}, {"space": "nats_size"}, {"constraint": "params"}])
def test_searches_of_other_tasks_are_not_compared(root, compared, other):
    searches(root, "regularized_evolution", drawn(5.9))
    searches(root, "random_search", drawn(6.1), **other)
    assert compared()["repeated"] == []


def test_single_searches_and_retrained_ones_are_none_of_these(root, compared):
    searches(root, "random_search", drawn(6.1, count=1))
    searches(root, "regularized_evolution", drawn(6.0, count=1))
    retrain(root, seed=0)
    assert compared()["repeated"] == []


@pytest.mark.parametrize("methods, rows", [(3, 3), (8, 28), (9, 8)])
def test_of_many_methods_those_with_random_search_are_shown(root, compared, methods, rows):
    for k in range(methods):
        searches(root, "random_search" if k == 0 else f"method{k}", drawn(6 - 0.1 * k, seed=k))
    found = compared()["repeated"]
    assert len(found) == rows
    assert methods < 9 or {each["less"] for each in found} == {"random_search"}
    assert f"{rows} intervals that all hold at once" in compare([str(root)], width=250)


def test_the_csv_has_a_row_for_each(root):
    searches(root, "regularized_evolution", drawn(5.9))
    searches(root, "random_search", drawn(6.1, seed=1))
    rows = [row for row in compare([str(root)], format="csv").splitlines() if row.startswith("difference,")]
    assert len(rows) == 1 and "regularized_evolution" in rows[0]


def test_e3_is_as_the_docs_state_it():
    with (DATA / "e3_nasbench201.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    errors = {row["method"]: {} for row in rows}
    for row in rows:
        errors[row["method"]][row["search_seed"]] = float(row["error"])
    found = between(errors["Regularized evolution"], errors["Random search"])
    page = " ".join((DATA.parent / "results.md").read_text().split())
    assert f"by {-found.value:.3f} in the reported one" in page and found.by == "pairs, n=500"
    assert f"[{found.low:+.3f}, {found.high:+.3f}], paired by seed, p = {found.p:.2f}".replace("0.11", ".11") in page
    assert "5.86 ± 0.20 (n=500)" in page and str(Figure.of(errors["Random search"].values())) == "5.88 ± 0.22 (n=500)"
