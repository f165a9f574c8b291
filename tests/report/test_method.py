"""Rows are methods: what is grouped, what is averaged over what, and what may stand in which column."""

import pytest
from fabricate import CHOICES, CPU, DAY, genotype, retrain, search

from nasctl.report.command import compare


def test_retrain_seeds_are_averaged_within_each_search_seed_first(root, compared):
    for seed, error in enumerate((2.0, 4.0, 6.0)):  # search seed 0: mean 4
        retrain(root, search_seed=0, seed=seed, error=error)
    retrain(root, search_seed=1, error=5.0)  # search seed 1: mean 5
    [row] = compared()["methods"]
    assert row["error"] == {"mean": 4.5, "std": pytest.approx(0.5**0.5), "n": 2, "n_of": "search seeds"}


@pytest.mark.parametrize("method, rows", [({}, 2), ({"method": "dddd4444"}, 1)])
def test_seeds_that_were_each_given_the_work_of_another_run_make_one_row(root, compared, method, rows):
    for seed, signature in enumerate(("aaaa1111", "eeee5555")):
        search(root, signature=signature, seed=seed, **method)
        retrain(root, search_seed=seed, source={"signature": signature, **method})
        search(root, signature=f"f{signature}", seed=seed, **{name: f"f{value}" for name, value in method.items()})
    found = compared()["methods"]
    assert [row["error"] is None for row in found] == [False] * rows + [True] * rows


def test_counts_and_costs_are_averaged_like_errors(root, compared):
    day = {"search": 1.0 * DAY, "selection": 0.5 * DAY}
    retrain(root, search_seed=0, seed=0, params=100, cost=day | {"retrain": 1.0 * DAY})
    retrain(root, search_seed=0, seed=1, params=300, cost=day | {"retrain": 3.0 * DAY})
    retrain(root, search_seed=1, params=600, cost={"search": 2 * DAY, "selection": 0.0, "retrain": 4 * DAY})
    [row] = compared()["methods"]
    assert row["params"] == 400
    assert row["cost"] == {
        "search": {"GPU-days": 1.5},
        "selection": {"GPU-days": 0.25},
        "retrain": {"GPU-days": 3.0},
    }


def test_a_single_run_has_no_deviation(root, compared):
    retrain(root)
    [row] = compared()["methods"]
    assert (row["error"]["std"], row["error"]["n"]) == (None, 1)
    assert "3.00 (n=1)" in compare([str(root)])


def test_a_published_genotype_counts_its_retrain_seeds_and_says_so(root, compared):
    for seed, error in enumerate((2.0, 4.0)):
        retrain(root, seed=seed, error=error, source=genotype("DARTS_V2"))
    [row] = compared()["methods"]
    assert row["method"] == "DARTS_V2"
    assert row["error"] == {"mean": 3.0, "std": pytest.approx(2**0.5), "n": 2, "n_of": "retrain seeds"}
    assert row["cost"]["search"] == row["cost"]["selection"] == {}
    assert "DARTS_V2: one architecture, n counts its retrain seeds." in compare([str(root)], width=200)


def test_a_genotype_file_is_labelled_by_its_name(root, compared):
    retrain(root, source=genotype("found/mine.json", kind="file"))
    assert compared()["methods"][0]["method"] == "mine.json"


@pytest.mark.parametrize(
    "other",
    [
        {"source": {"signature": "dddd4444"}},
        {"source": genotype("DARTS_V1")},
        {"recipe": "eeee5555"},
        {"choices": {"dataset": "cifar100"}},
    ],
    ids=["search", "genotype", "recipe", "dataset"],
)
def test_what_parts_rows(root, compared, other):
    retrain(root, seed=0)
    retrain(root, seed=1, **other)
    assert len(compared()["methods"]) == 2


def test_neither_seed_nor_architecture_parts_rows(root, compared):
    retrain(root, search_seed=0, seed=0, params=1)
    retrain(root, search_seed=1, seed=5, params=2, signature="ffff6666")
    assert len(compared()["methods"]) == 1


def test_gpu_and_cpu_days_are_never_mixed(root, compared):
    retrain(root, search_seed=0)
    retrain(root, search_seed=1, device=CPU, source={"device": CPU}, recipe="cccc3333")
    gpu, cpu = sorted(compared()["methods"], key=lambda row: str(row["cost"]), reverse=True)
    assert (gpu["cost"]["search"], gpu["cost"]["retrain"]) == ({"GPU-days": 0.375}, {"GPU-days": 1.5})
    assert (cpu["cost"]["search"], cpu["cost"]["retrain"]) == ({"CPU-days": 0.375}, {"CPU-days": 1.5})


def test_a_search_on_a_gpu_and_a_retraining_on_a_cpu_keep_their_units(root, compared):
    retrain(root, device=CPU)
    [row] = compared()["methods"]
    assert (row["cost"]["search"], row["cost"]["retrain"]) == ({"GPU-days": 0.375}, {"CPU-days": 1.5})
    assert row["device"] == "search: H100, retrain: Xeon"


@pytest.mark.parametrize("kind", ["proxy", "short training", "table (validation)"])
def test_a_search_nobody_retrained_has_no_test_error(root, compared, kind):
    search(root, signature="9999", error=1.11, error_kind=kind)
    retrain(root, error=3.0)
    rows = compared()["methods"]
    assert [row["error"] and row["error"]["mean"] for row in rows] == [3.0, None]
    assert rows[1]["estimate"] == {"mean": 1.11, "std": None, "n": 1, "kind": kind}


def test_estimates_of_two_kinds_have_columns_of_their_own(root):
    search(root, signature="8888", error=7.77, error_kind="proxy")
    search(root, signature="9999", error=8.88, error_kind="short training", choices={"strategy": "evolution"})
    header, _, *lines = compare([str(root)], format="markdown", published="none").splitlines()[2:6]
    names = [name.strip() for name in header.split("|")]
    cells = [dict(zip(names, map(str.strip, line.split("|")), strict=True)) for line in lines]
    assert "test error (%)" not in names
    assert [row["proxy error (%)"] for row in cells] == ["7.77 (n=1)", ""]
    assert [row["short training error (%)"] for row in cells] == ["", "8.88 (n=1)"]


def test_a_retrained_search_has_no_row_of_its_own(root, compared):
    search(root, seed=0)
    search(root, seed=1)
    retrain(root, search_seed=0)
    assert [row["method"] for row in compared()["methods"]] == ["darts", "darts (not retrained)"]
    assert compared()["methods"][1]["estimate"]["n"] == 1


def test_a_transfer_names_both_data_sets(root, compared):
    retrain(root, choices={"dataset": "cifar100"})
    assert compared()["methods"][0]["dataset"] == "cifar100 (searched on cifar10)"


def test_feasible_architectures_are_counted(root, compared):
    for seed, feasible in enumerate((True, False, True)):
        retrain(root, search_seed=seed, feasible=feasible)
    assert compared()["methods"][0]["feasible"] == {"within": 2, "of": 3}


def test_the_best_row_of_a_data_set_comes_first(root, compared):
    retrain(root, error=3.0)
    retrain(root, error=2.0, source=genotype("NASNet"))
    assert [row["error"]["mean"] for row in compared()["methods"]] == [2.0, 3.0]


def test_a_run_given_twice_counts_once(root):
    folder = retrain(root)
    assert compare([str(folder), str(root), str(folder)], format="json") == compare([str(folder)], format="json")


def test_a_label_of_an_experiment_names_the_row(root, compared):
    retrain(root, source={"label": "DARTS (second order)", "choices": CHOICES})
    assert compared()["methods"][0]["method"] == "DARTS (second order)"


def test_a_devices_number_is_shown(root, compared):
    search(root, device={"type": "cuda", "name": "A100", "count": 4})
    assert compared()["methods"][0]["device"] == "4 x A100"


def test_counts_and_work_of_several_searches_have_a_spread(root, compared):
    for seed, params in enumerate((1_000_000, 3_000_000)):
        work = {"search": 10**9 * (1 + seed), "selection": 0}
        retrain(root, search_seed=seed, params=params, macs=5e8, metrics={"auc": 0.5}, source={"work": work})
    [row] = compared()["methods"]
    assert (row["params"], row["params_std"], row["macs_std"]) == (2e6, pytest.approx(2**0.5 * 1e6), 0.0)
    assert (row["work"], row["work_std"]) == (1.5e9, pytest.approx(0.5**0.5 * 1e9))
    text = compare([str(root)], format="markdown")
    assert "| 2.00 M ± 1.41 M | 500.0 M |" in text
    assert "| 1.50e9 ± 7.07e8 |" in compare([str(root)], metric="auc", format="markdown")
