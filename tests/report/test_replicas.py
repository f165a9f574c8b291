"""Repeated searches in the comparison: pooled by seed, their distribution, and the best-found curve."""

import json

import pytest
from fabricate import CPU, DAY, retrain, search

from nasctl.report.command import compare

TABLE = {"estimator": "nasbench201_table", "space": "nasbench201", "strategy": "random_search"}


def line(seed, error, *, reported=True, best=True, margin=None, params=100, curve=((10, 6.0, 6.1),)):
    found = {"error": error, **({"reported_error": error + 0.5} if reported else {})}
    points = [{"trials": n, "metrics": {"error": a, "reported_error": b}} for n, a, b in curve]
    return {
        "replica": seed, "seed": seed, "metrics": found, "best_found": best, "margin": margin,
        "params": params, "macs": 10 * params, "curve": points,
    }  # fmt: skip


def repeated(root, lines, **changes):
    """Write a finished run of as many replicas as ``lines``."""
    cost = {"search": len(lines) * DAY, "selection": 0.0, "retrain": 0.0}
    given = {"error_kind": "table (test)", "repeats": len(lines), "cost": cost, "device": CPU, "choices": TABLE}
    folder = search(root, **(given | changes))
    (folder / "replicas.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    return folder


def test_n_counts_replicas_and_the_error_is_the_reported_one(root, compared):
    repeated(root, [line(seed, 5.0 + seed) for seed in range(3)])
    [method] = compared()["methods"]
    assert method["estimate"] == {"mean": 6.5, "std": 1.0, "n": 3, "kind": "table (test)"}
    assert method["error"] is None and method["cost"]["search"] == {"CPU-days": pytest.approx(1.0)}
    assert len(method["runs"]) == 1


def test_without_a_reported_error_it_is_the_one_searched_by(root, compared):
    repeated(root, [line(seed, 5.0 + seed, reported=False) for seed in range(3)])
    assert compared()["methods"][0]["estimate"]["mean"] == 6.0


def test_two_runs_of_one_signature_are_pooled_and_a_seed_in_both_counts_once(root, compared):
    repeated(root, [line(seed, 5.0) for seed in (0, 1, 2)], seed=0)
    repeated(root, [line(seed, 5.0) for seed in (2, 3)], seed=2)
    [method] = compared()["methods"]
    assert method["estimate"]["n"] == 4 and len(method["runs"]) == 2


def test_the_distribution_over_replicas(root, compared):
    repeated(root, [line(seed, float(seed), best=seed < 4) for seed in range(101)])
    told = compared()["methods"][0]["distribution"]
    assert told == pytest.approx({"median": 50.5, "low": 5.5, "high": 95.5, "best_found": 4, "of": 101})
    text = compare([str(root)], width=250)
    assert "50.50 (5.50 to 95.50)" in text and "4 of 101" in text


@pytest.mark.parametrize("lines", [[line(0, 5.0)], [line(0, 5.0, best=None), line(1, 6.0, best=None)]])
def test_best_found_is_left_out_where_it_is_not_known_or_there_is_one_replica(root, compared, lines):
    repeated(root, lines)
    told = compared()["methods"][0]["distribution"]
    assert told is None or (told["best_found"] is None and told["of"] == 2)
    assert "best found" not in compare([str(root)], width=250).split("Best found so far")[0]


def test_feasible_counts_replicas(root, compared):
    repeated(root, [line(0, 5.0, margin=1.0), line(1, 5.0, margin=-1.0), line(2, 5.0, margin=0.0)])
    assert compared()["methods"][0]["feasible"] == {"within": 2, "of": 3}


def test_sizes_are_means_over_replicas(root, compared):
    repeated(root, [line(0, 5.0, params=100), line(1, 5.0, params=300)])
    assert (compared()["methods"][0]["params"], compared()["methods"][0]["macs"]) == (200, 2000)


def test_the_curve_pairs_what_was_seen_with_what_is_reported(root, compared):
    points = [((1, 9.0, 9.0), (10, 6.0, 6.4)), ((1, 7.0, 7.2), (10, 5.0, 5.2))]
    repeated(root, [line(seed, 5.0, curve=curve) for seed, curve in enumerate(points)])
    [(label, curve)] = compared()["curves"].items()
    assert label == "random_search" and [point["trials"] for point in curve] == [1, 10]
    last = curve[1]
    assert (last["error"]["mean"], last["reported"]["mean"]) == (5.5, pytest.approx(5.8))
    assert last["difference"] == {"mean": pytest.approx(0.3), "std": pytest.approx(0.1 * 2**0.5), "n": 2}
    text = compare([str(root)], width=250)
    assert "Best found so far, over replicas" in text and "+0.300" in text
    assert "1.271" in text  # Student's 12.706 of one degree of freedom * 0.1 * sqrt(2) / sqrt(2)


def test_the_curve_is_in_every_format(root):
    repeated(root, [line(seed, 5.0) for seed in range(3)])
    rows = [row for row in compare([str(root)], format="csv").splitlines() if row.startswith("curve,")]
    assert len(rows) == 1
    for form in ("markdown", "latex"):
        assert "Best found so far" in compare([str(root)], format=form)


def test_without_replicas_there_is_no_curve(root, compared):
    search(root)
    assert compared()["curves"] == {} and "Best found" not in compare([str(root)])
    assert compared()["methods"][0]["distribution"] is None


def test_replicas_stay_in_the_table_when_one_architecture_was_retrained(root, compared):
    repeated(root, [line(seed, 5.0 + seed) for seed in range(3)])
    retrain(root, search_seed=0, source={"choices": TABLE})
    kinds = {row["method"]: (row["estimate"] or {}).get("n") for row in compared()["methods"]}
    assert sorted(kinds.values(), key=str) == [3, None]


def test_a_search_without_an_error_has_a_row_of_its_own(root, compared):
    search(root, error=None, error_kind="zero-cost", choices={"estimator": "zero_cost"})
    [method] = compared()["methods"]
    assert method["estimate"] is None and method["params"] == 3_349_342
