"""Language models in the tables: perplexities in columns of their own, beside the published ones."""

import math

import pytest
from fabricate import genotype, retrain, search

from nasctl.report.command import compare
from nasctl.report.listing import list_runs

TEXT = {"space": "rnn_darts", "dataset": "ptb"}


def spoken(root, perplexity, validation, **changes):
    """Write a finished retraining of a language model."""
    metrics = {"loss": math.log(perplexity), "perplexity": perplexity}
    held_out = {"loss": math.log(validation), "perplexity": validation}
    weights = {"name": "best", "epoch": 3, "averaged": True, "held_out": held_out}
    return retrain(root, error=None, metrics=metrics, weights=weights, choices=TEXT, **changes)


def searched(root, perplexity, **changes):
    metrics = {"loss": math.log(perplexity), "perplexity": perplexity}
    return search(root, error=None, metrics=metrics, choices=TEXT | changes.pop("choices", {}), **changes)


def lines(root):
    return compare([str(root)], format="markdown").splitlines()


def header_of(root):
    return next(line for line in lines(root) if line.startswith("| method"))


def test_test_and_validation_perplexity_are_averaged_over_seeds(root, compared):
    for seed, (test, validation) in enumerate([(57.0, 60.0), (59.0, 61.0)]):
        spoken(root, test, validation, seed=seed, source=genotype("DARTS_V2"))
    [row] = compared()["methods"]
    assert row["measure"] == "perplexity"
    assert row["error"] == {"mean": 58.0, "std": pytest.approx(2**0.5), "n": 2, "n_of": "retrain seeds"}
    assert row["validation"] == {"mean": 60.5, "std": pytest.approx(0.5**0.5), "n": 2}
    header, written = header_of(root), next(line for line in lines(root) if line.startswith("| DARTS_V2"))
    assert "test perplexity" in header and "validation perplexity" in header and "error" not in header
    assert "58.00 ± 1.41 (n=2)" in written and "60.50 ± 0.71 (n=2)" in written


def test_the_lowest_perplexity_comes_first_and_images_keep_their_column(root, compared):
    spoken(root, 61.0, 63.0, source=genotype("ENAS"))
    spoken(root, 56.0, 58.0, source=genotype("DARTS_V2"))
    retrain(root, error=3.0)
    rows = compared()["methods"]
    assert [(row["measure"], row["error"]["mean"]) for row in rows] == [
        ("error (%)", 3.0),
        ("perplexity", 56.0),
        ("perplexity", 61.0),
    ]
    assert "test error (%)" in header_of(root) and "test perplexity" in header_of(root)


def test_published_perplexities_stand_beside_and_the_difference_is_told(root, compared):
    published = {"table": "PTB-DARTS", "method": "DARTS second order"}
    spoken(root, 57.0, 59.0, published=published)
    found = compared()
    assert found["methods"][0]["difference"] == pytest.approx(57.0 - 55.7)
    assert {row["table"] for row in found["published"]} == {"PTB-DARTS"}
    text = compare([str(root)], width=300)
    assert "+1.30" in text and "55.7" in text and "58.1" in text


def test_a_search_shows_its_estimate_as_a_perplexity(root):
    searched(root, 120.0)
    header = header_of(root)
    assert "proxy perplexity" in header and "error" not in header


def test_random_search_at_equal_work_is_compared_by_perplexity(root, compared):
    work = {"search": 100, "selection": 0, "retrain": 0}
    random = {"choices": TEXT | {"strategy": "random_search", "estimator": "from_scratch"}, "signature": "dddd4444"}
    spoken(root, 57.0, 60.0, source={"work": work, "choices": TEXT | {"strategy": "darts"}})
    spoken(root, 60.0, 62.0, source={"work": work, "budget": {"work": 100}, **random})
    [pair] = compared()["pairs"]
    assert pair["error_difference"] == pytest.approx(-3.0)
    assert any("random search" in line and "test perplexity" in line for line in lines(root))


def test_random_architectures_are_told_in_perplexity(root):
    trials = tuple(
        {"index": i, "arch": [i], "relaxed": False, "error": None, "metrics": {"loss": 5.0, "perplexity": value}}
        for i, value in enumerate((100.0, 110.0))
    )
    searched(root, 100.0, trials=trials, choices={"strategy": "random_search"}, error_kind="short training")
    assert any("short training perplexity 105.00 ± 7.07 (n=2 architectures" in line for line in lines(root))


def test_random_language_models_are_no_random_baseline_of_accuracies(root, compared):
    for seed in (0, 1):
        spoken(root, 60.0 + seed, 62.0, seed=seed, source=genotype("random", kind="random") | {"seed": seed})
    found = compared()
    assert found["random_baselines"] == [] and found["methods"][0]["relative_improvement"] is None


def test_a_perplexity_that_is_not_finite_is_no_figure(root, compared):
    retrain(root, error=None, metrics={"loss": 800.0, "perplexity": math.inf}, choices=TEXT)
    [row] = compared()["methods"]
    assert row["error"] is None and row["validation"] is None


def test_the_list_of_runs_has_a_column_for_it(root):
    spoken(root, 57.25, 60.0)
    retrain(root, error=3.0)
    text = list_runs([root])
    assert "57.25 (retrained)" in text and "3.00 (retrained)" in text and "perplexity" in text


def test_sizes_are_drawn_by_perplexity(root):
    spoken(root, 57.25, 60.0)
    text = compare([str(root)], width=300, x="params")
    assert "Perplexity against params" in text and "57.25" in text
