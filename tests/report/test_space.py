"""The size of the spaces, and the figures of random architectures."""

import pytest
from fabricate import genotype, retrain, search

from nasctl.report.command import compare

RANDOM = {"strategy": "random_search", "estimator": "from_scratch"}


def trial(percent, **changes):
    made = {
        "index": 0,
        "arch": [0],
        "reward": 0.0,
        "metrics": {"error": percent},
        "relaxed": False,
        "error": None,
    }
    return made | changes


def test_random_architectures_are_pooled_over_the_runs_of_a_signature(root, compared):
    search(root, seed=0, choices=RANDOM, error_kind="short training", trials=(trial(10.0), trial(20.0)))
    search(root, seed=1, choices=RANDOM, error_kind="short training", trials=(trial(30.0),))
    [found] = compared()["random_architectures"]
    assert found["error"] == {"mean": 20.0, "std": pytest.approx(10.0), "n": 3}
    assert (found["space"], found["dataset"], found["error_kind"]) == ("darts", "cifar10", "short training")


@pytest.mark.parametrize(
    "skipped",
    [
        trial(99.0, relaxed=True),
        trial(99.0, error="loss is NaN"),
        trial(0.0, metrics=None, error="out of memory"),
        trial(float("nan")),
        trial(None),
    ],
    ids=["relaxed", "failed", "failed without metrics", "nan", "null"],
)
def test_trials_without_a_usable_error_are_skipped(root, compared, skipped):
    search(root, choices=RANDOM, trials=(trial(10.0), skipped, trial(20.0)))
    assert compared()["random_architectures"][0]["error"]["n"] == 2


def test_other_strategies_say_nothing_about_random_architectures(root, compared):
    search(root, trials=(trial(10.0),))
    assert compared()["random_architectures"] == []


def test_signatures_are_not_pooled(root, compared):
    search(root, signature="aaaa", choices=RANDOM, trials=(trial(10.0),))
    search(root, signature="bbbb", choices=RANDOM, trials=(trial(20.0),))
    assert len(compared()["random_architectures"]) == 2


def test_a_random_search_that_was_retrained_still_tells_about_its_space(root, compared):
    search(root, choices=RANDOM, trials=(trial(10.0),))
    retrain(root, source={"choices": RANDOM})
    assert len(compared()["random_architectures"]) == 1


def test_a_last_line_cut_short_is_ignored_and_a_damaged_one_is_named(root, compared):
    folder = search(root, choices=RANDOM, trials=(trial(10.0),))
    with (folder / "trials.jsonl").open("a") as file:
        file.write('{"index": 1, "metr')
    assert compared()["random_architectures"][0]["error"]["n"] == 1
    with (folder / "trials.jsonl").open("a") as file:
        file.write("\n")
    found = compared()
    assert found["random_architectures"] == [] and found["left_out"][0]["status"] == "damaged"
    assert found["left_out"][0]["reason"].startswith("trials.jsonl: line 2: not JSON")


def test_sizes_come_from_searches_and_from_sources(root):
    search(root)
    retrain(
        root,
        source={"choices": {"space": "nasbench201"}, "space_size": 15_625, "signature": "b"},
    )
    retrain(root, source=genotype())
    text = compare([str(root)], width=200)
    assert "Size of space darts: 1.08e18 architectures." in text
    assert "Size of space nasbench201: 15625 architectures." in text


def test_a_size_beyond_floating_point_is_written(root):
    search(root, space_size=10**400)
    assert "1.00e400" in compare([str(root)])
