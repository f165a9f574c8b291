"""Random search at equal work: which rows are a pair, what the pair says, and the command where there is none."""

import csv
import io
import json

import pytest
from fabricate import CHOICES, DAY, genotype, retrain, run, search
from scipy.stats import ttest_rel

from nasctl.report.command import compare

RANDOM = {"strategy": "random_search", "estimator": "from_scratch"}
COST = {"search": DAY, "selection": 0.0, "retrain": DAY}


def method(root, errors, *, work=900, selection=100, signature="aaaa1111", choices=None, **result):
    """Write the retrained searches of a method, one a seed."""
    for seed, error in enumerate(errors):
        used = {"search": work, "selection": selection, "retrain": 7}
        chosen = CHOICES | (choices or {})
        source = {"signature": signature, "work": used, "budget": {"work": None}, "choices": chosen, "name": "runs/it"}
        retrain(root, search_seed=seed, error=error, source=source, **result)


def baseline(root, errors, *, limit=1000, used=1008, choices=None, signature="rrrr1111", **result):
    """Write the retrained random searches of a budget of work."""
    for seed, error in enumerate(errors):
        work = {"search": used, "selection": 0, "retrain": 7}
        chosen = CHOICES | RANDOM | (choices or {})
        source = {"signature": signature, "work": work, "budget": {"work": limit}, "choices": chosen}
        retrain(root, search_seed=seed, error=error, source=source, **result)


def test_a_pair_has_the_difference_with_its_interval_and_both_works(root, compared):
    method(root, (3.0, 3.2, 3.4, 3.6))
    baseline(root, (3.1, 3.5, 3.9, 4.3))
    [pair] = compared()["pairs"]
    assert (pair["method"], pair["random"]) == ("darts", "random_search")
    assert pair["error_difference"] == pytest.approx(-0.4)
    half = (pair["error_difference_high"] - pair["error_difference_low"]) / 2
    assert pair["error_difference_low"] + half == pytest.approx(-0.4)
    # the differences by seed are -0.1, -0.3, -0.5 and -0.7: the interval that metric= has for them, not Welch's
    assert half == pytest.approx(ttest_rel((3.0, 3.2, 3.4, 3.6), (3.1, 3.5, 3.9, 4.3)).confidence_interval()[1] + 0.4)
    assert pair["p_holm"] == pytest.approx(ttest_rel((3.0, 3.2, 3.4, 3.6), (3.1, 3.5, 3.9, 4.3)).pvalue)
    assert pair["interval_by"] == "pairs, n=4"
    assert (pair["work"], pair["random_work"]) == (1000, 1008)
    assert compared()["missing_baselines"] == []


def test_the_mean_work_of_a_method_is_what_a_random_search_has_to_equal(root, compared):
    for seed, work in enumerate((700, 1100)):  # and a selection of 100
        source = {"work": {"search": work, "selection": 100}, "signature": "aaaa1111", "name": "runs/it"}
        retrain(root, search_seed=seed, source=source)
    baseline(root, (3.1,), limit=1000)
    [pair] = compared()["pairs"]
    assert (pair["method"], pair["work"], pair["random_work"]) == ("darts", 1000, 1008)


@pytest.mark.parametrize(
    "other",
    [
        {"used": 1011},
        {"used": 989},
        {"used": 1690},
        {"recipe": "eeee5555"},
        {"choices": {"space": "nasbench201"}},
        {"choices": {"constraint": "params"}},
        {"choices": {"strategy": "regularized_evolution"}},
    ],
    ids=["1.1 % more", "1.1 % less", "69 % more", "recipe", "space", "constraint", "strategy"],
)
def test_what_is_no_pair(root, compared, other):
    method(root, (3.0, 3.2))
    baseline(root, (3.1, 3.5), **other)
    assert compared()["pairs"] == []
    assert "darts" in [row["method"] for row in compared()["missing_baselines"]]


def test_a_random_search_that_nobody_retrained_is_no_pair(root, compared):
    method(root, (3.0, 3.2))
    search(root, signature="rrrr1111", choices=RANDOM, budget={"work": 1000})
    assert compared()["pairs"] == [] and len(compared()["missing_baselines"]) == 1


def test_the_command_names_the_run_and_as_many_seeds(root, compared):
    method(root, (3.0, 3.2, 3.4))
    [row] = compared()["missing_baselines"]
    assert row["command"] == (
        "nasctl search -m strategy=random_search estimator=from_scratch budget.like=runs/it seed=0,1,2"
    )
    note = f"darts: no random search at equal work; retrain what this finds: {row['command']}"
    assert note in compare([str(root)], width=1000)


def made_by(folder, *command):
    (folder / "environment.json").write_text(json.dumps({"command": ["/bin/nasctl", *command]}))


@pytest.mark.parametrize(
    ("of_search", "of_retraining", "flags"),
    [
        (["search", "--config-dir", "conf of mine", "space=chain"], ["retrain"], "--config-dir 'conf of mine' "),
        (["search", "space=chain", "--config-dir=a", "-m"], ["retrain", "-cd", "b"], "--config-dir a "),
        (["search", "-cd=a", "-cd", "b"], ["retrain"], "--config-dir a --config-dir b "),
        (["search"], ["retrain", "-cd", "b"], "--config-dir b "),
        (None, ["retrain", "--config-dir", "b"], "--config-dir b "),
        (["search", "--config-dir", "$(id)"], [], "--config-dir '$(id)' "),
        (["search"], ["retrain"], ""),
    ],
)
def test_the_command_has_the_config_dir_of_the_methods_own_run(root, compared, of_search, of_retraining, flags):
    method(root, (3.0,))
    [retrained] = root.rglob("environment.json")
    made_by(retrained.parent, *of_retraining)
    if of_search is not None:
        made_by(search(root, seed=0), *of_search)
    [row] = compared()["missing_baselines"]
    assert row["command"].startswith(f"nasctl search {flags}-m strategy=random_search estimator=from_scratch ")


@pytest.mark.parametrize("inside", ["", "/conf", "/../{name}/conf", "/x/.."])
def test_a_config_dir_inside_a_run_is_in_no_command(root, compared, inside):
    method(root, (3.0,))
    folder = next(root.rglob("environment.json")).parent
    made_by(folder, "retrain", "--config-dir", f"{folder}{inside.format(name=folder.name)}")
    assert compared()["missing_baselines"][0]["command"].startswith("nasctl search -m ")


@pytest.mark.parametrize("command", ["search --config-dir x", [1, "--config-dir"], {"--config-dir": "x"}])
def test_a_command_that_is_no_list_of_words_is_damage(root, compared, command):
    method(root, (3.0,))
    next(root.rglob("environment.json")).write_text(json.dumps({"command": command}))
    assert "environment.json" in compared()["left_out"][0]["reason"]


def test_baselines_published_genotypes_and_runs_of_old_lack_nothing(root, compared):
    baseline(root, (3.1, 3.5))
    retrain(root, source=genotype())
    retrain(root, source={"signature": "dddd4444"})  # without a record of its work
    assert compared()["missing_baselines"] == compared()["pairs"] == []


def test_a_selection_is_a_method_with_its_own_work(root, compared):
    method(root, (3.0,), work=3600, selection=400, signature="ssss1111")
    baseline(root, (3.1,), limit=4000, used=4030)
    [pair] = compared()["pairs"]
    assert pair["work"] == 4000 and pair["error_difference_low"] is None


def test_a_selection_that_nobody_retrained_has_an_estimate(root, compared):
    result = {
        "verb": "select", "signature": "ssss1111", "seed": 0, "error": 9.0, "error_kind": "short training",
        "params": 1, "macs": 2, "cost": COST | {"selection": DAY, "retrain": 0.0}, "device": {"type": "cpu"},
    }  # fmt: skip
    run(root, "select/x", config={"verb": "select", "choices": CHOICES, "label": "DARTS, best of 4"}, result=result)
    [row] = compared()["methods"]
    assert row["method"] == "DARTS, best of 4" and row["estimate"]["kind"] == "short training"
    assert row["cost"]["selection"] == {"CPU-days": 1.0}


def test_the_grid_and_the_csv_show_the_pair(root):
    method(root, (3.0, 3.0))
    baseline(root, (3.5, 3.5))
    text = compare([str(root)], format="markdown", published="none")
    assert "**Against random search at equal work**" in text
    line = next(line for line in text.splitlines() if "[-0.50, -0.50]" in line)
    cells = [cell.strip() for cell in line.strip("| ").split("|")]
    expected = [
        "darts",
        "3.00 ± 0.00 (n=2)",
        "3.50 ± 0.00 (n=2)",
        "-0.50 [-0.50, -0.50]",
        "pairs, n=2",
        "1.00e3",
        "1.01e3",
    ]
    assert cells == expected
    rows = list(csv.DictReader(io.StringIO(compare([str(root)], format="csv"))))
    [pair] = [row for row in rows if row["kind"] == "pair"]
    assert (pair["method"], pair["random"], pair["error_difference"]) == ("darts", "random_search", "-0.5")


def test_without_a_pair_there_is_no_grid(root):
    method(root, (3.0, 3.0))
    assert "Against random search" not in compare([str(root)])
