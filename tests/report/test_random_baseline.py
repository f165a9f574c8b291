"""The space itself: random architectures under the methods' recipe, and what methods gain over them."""

import csv
import io

import pytest
from fabricate import CHOICES, genotype, retrain

from nasctl.report.command import compare


def drawn(root, errors, *, signature="pppp1111", choices=None, **result):
    """Write retrained random architectures, one a seed."""
    chosen = {"space": "darts", "constraint": None} | (choices or {})
    for seed, error in enumerate(errors):
        source = genotype("random", kind="random") | {"signature": signature, "seed": seed, "choices": chosen}
        retrain(root, seed=seed, search_seed=None, source=source, error=error, **result)


def improvements(content):
    return {row["method"]: row["relative_improvement"] for row in content["methods"]}


def test_the_space_has_a_mean_and_a_deviation_over_architectures(root, compared):
    drawn(root, (9.0, 11.0, 13.0))
    [found] = compared()["random_baselines"]
    assert found["error"] == {"mean": 11.0, "std": pytest.approx(2.0), "n": 3}
    assert (found["space"], found["dataset"], found["recipe"]) == ("darts", "cifar10", "cccc3333")
    [row] = compared()["methods"]
    assert row["method"] == "random architectures" and row["error"]["n_of"] == "random architectures"
    text = compare([str(root)], width=1000)
    assert "n counts architectures sampled uniformly" in text and "one architecture, n counts" not in text


def test_retrain_seeds_of_one_random_architecture_are_averaged_first(root, compared):
    source = genotype("random", kind="random") | {"signature": "pppp1111", "choices": {"space": "darts"}}
    for number, seed, error in ((0, 0, 4.0), (0, 1, 6.0), (1, 0, 8.0)):
        retrain(root, seed=seed, source=source | {"seed": number}, error=error, search_seed=number)
    assert compared()["random_baselines"][0]["error"] == {"mean": 6.5, "std": pytest.approx(4.5**0.5), "n": 2}


def test_relative_improvement_is_the_papers_formula(root, compared):
    drawn(root, (19.0, 21.0))  # accuracy 80
    retrain(root, error=16.0)  # 84
    retrain(root, error=22.0, source=genotype("DARTS_V1"))  # 78
    found = improvements(compared())
    assert found == {"darts": pytest.approx(5.0), "DARTS_V1": pytest.approx(-2.5), "random architectures": None}
    header, _, *lines = [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in compare([str(root)], format="markdown", published="none").splitlines()
        if line.startswith("|")
    ]
    column = header.index("relative improvement (%)")
    assert {line[0]: line[column] for line in lines}["darts"] == "+5.00"
    assert "100 (accuracy - random accuracy) / random accuracy." in compare([str(root)], width=1000)


def test_relative_improvement_has_an_interval_from_two_seeds_on(root, compared):
    drawn(root, (19.0, 20.0, 21.0))
    for seed, error in enumerate((15.0, 16.0, 17.0)):
        retrain(root, search_seed=seed, error=error)
    row = next(row for row in compared()["methods"] if row["method"] == "darts")
    low, high = row["relative_improvement_low"], row["relative_improvement_high"]
    # both standard errors are 3 ** -.5; close to the delta method's, t (1 + 1.05 ** 2) ** .5 / 3 ** .5 / 80
    assert low < 5 < high and (high - low) / 2 == pytest.approx(2.776 * (1 + 1.05**2) ** 0.5 / 3**0.5 / 0.8, rel=0.01)
    text = compare([str(root)], width=1000)
    assert f"+5.00 [{low:+.2f}, {high:+.2f}]" in text and "Fieller's method" in text
    [line] = [
        row for row in csv.DictReader(io.StringIO(compare([str(root)], format="csv"))) if row["method"] == "darts"
    ]
    assert float(line["relative_improvement_low"]) == low and float(line["relative_improvement_high"]) == high


@pytest.mark.parametrize(
    "other",
    [
        {"recipe": "eeee5555"},
        {"choices": {"dataset": "cifar100"}},
        {"source": {"choices": CHOICES | {"space": "nasbench201"}}},
        {"source": {"choices": CHOICES | {"constraint": "params"}}},
    ],
    ids=["recipe", "data set", "space", "constraint"],
)
def test_a_random_baseline_measures_its_own_kind_only(root, compared, other):
    drawn(root, (19.0, 21.0))
    retrain(root, error=16.0, **other)
    assert set(improvements(compared()).values()) == {None}


def test_a_single_architecture_is_no_random_baseline(root, compared):
    drawn(root, (19.0,))
    retrain(root, error=16.0)
    assert compared()["random_baselines"] == [] and improvements(compared())["darts"] is None
    assert "elative improvement" not in compare([str(root)])


def test_a_space_of_no_accuracy_gives_no_improvement(root, compared):
    drawn(root, (100.0, 100.0))
    retrain(root, error=16.0)
    assert improvements(compared())["darts"] is None


def test_the_csv_has_a_row_of_the_random_baseline(root):
    drawn(root, (19.0, 21.0))
    rows = list(csv.DictReader(io.StringIO(compare([str(root)], format="csv"))))
    [found] = [row for row in rows if row["kind"] == "random baseline"]
    assert (found["space"], found["error"], found["error_n"], found["recipe_hash"]) == (
        "darts",
        "20.0",
        "2",
        "cccc3333",
    )
