"""Costs by the clock and CPU time, with their spread over seeds."""

import pytest
from fabricate import CPU, retrain

from nasctl.report.command import compare
from tests.report.test_replicas import line, repeated


def test_the_cpu_time_stands_beside_the_clock_with_both_spreads(root, compared):
    """Three like trainings under load took 38, 56 and 78 s by the clock."""
    for seed, (clock, own) in enumerate([(38, 36.0), (56, 36.5), (78, 37.0)]):
        cost = {"search": 0.0, "selection": 0.0, "retrain": clock * 86.4}
        retrain(root, search_seed=seed, cost=cost, cpu_seconds={"retrain": own}, device=CPU)
    [row] = compared()["methods"]
    assert row["cpu_seconds"]["retrain"] == {"mean": 36.5, "std": 0.5, "n": 3} and row["cpu_seconds"]["search"] is None
    assert row["cost_std"]["retrain"] == {"CPU-days": pytest.approx(0.02003, abs=1e-5)}
    text = compare([str(root)], format="markdown", published="none")
    assert "| 0.0573 ± 0.0200 CPU-days | 36.5 ± 0.5 s |" in text
    assert "Xeon" in text and "CPU time: that of the process" in text


@pytest.mark.parametrize("recorded", [None, {}, {"retrain": None}, {"retrain": 0.0}])
def test_runs_without_a_cpu_time_have_no_column(root, compared, recorded):
    retrain(root, **({} if recorded is None else {"cpu_seconds": recorded}))
    assert compared()["methods"][0]["cpu_seconds"]["retrain"] is None
    assert "CPU time |" not in compare([str(root)], format="markdown")


@pytest.mark.parametrize("recorded", [{"retrain": float("nan")}, "38 s", {"retrain": "38 s"}])
def test_a_cpu_time_that_is_none_is_damage(root, compared, recorded):
    retrain(root, cpu_seconds=recorded)
    [left_out] = compared()["left_out"]
    assert left_out["status"] == "damaged" and "result.json" in left_out["reason"]


def test_a_replica_has_its_share_of_the_cpu_time(root, compared):
    repeated(root, [line(seed, 5.0) for seed in range(4)], cpu_seconds={"search": 8.0})
    assert compared()["methods"][0]["cpu_seconds"]["search"] == {"mean": 2.0, "std": 0.0, "n": 4}
    assert "| 2.0 s |" in compare([str(root)], format="markdown", published="none")


def test_a_cost_that_does_not_vary_has_no_spread(root):
    for seed in range(2):
        retrain(root, search_seed=seed)
    assert "| 0.375 GPU-days | 1.50 GPU-days |" in compare([str(root)], format="markdown", published="none")
