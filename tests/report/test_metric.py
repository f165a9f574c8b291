"""Any metric of retrained networks, and differences paired by seed, worked out by hand."""

import csv
import io
import json

import fabricate
import pytest

from nasctl.cli import main as cli
from nasctl.errors import RequestError
from nasctl.report.command import compare

AUC = {"TabNAS": (0.70, 0.72, 0.74), "random": (0.70, 0.71, 0.72)}


def retrained(root, label, aucs, feasible=True, kind="run", **result):
    """Write a retraining of each search seed, two of the first."""
    for seed, auc in enumerate(aucs):
        for retrain in (0, 1) if seed == 0 else (0,):
            source = {
                "kind": kind,
                "signature": label,
                "label": label,
                "name": f"outputs/{label}",
                "seed": seed,
                "work": {"search": 10**9},
            }
            metrics = {"auc": auc + (0.01 if retrain else 0) - (0.005 if seed == 0 else 0), "loss": 0.5}
            told = {"metrics": metrics, "feasible": feasible, "margin": 1.0, "params": 38_000} | result
            fabricate.retrain(root, search_seed=seed, seed=retrain, source=source, **told)


def tables(text):
    """Return the rows of each markdown table by their header."""
    found = []
    for part in text.split("\n\n"):
        lines = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("|")]
        found += [[dict(zip(lines[0], row, strict=False)) for row in lines[2:]]] if lines else []
    return found


def test_methods_are_averaged_over_retrain_seeds_and_compared_seed_by_seed(root):
    for label, aucs in AUC.items():
        retrained(root, label, aucs)
    methods, (difference,) = tables(compare([str(root)], metric="auc", format="markdown"))
    figures = {row["method"]: (row["auc"], row["params"], row["within the limit"]) for row in methods}
    assert figures["TabNAS"] == ("0.7200 ± 0.0200 (n=3)", "38.0 k", "4 of 4")
    assert figures["random"][0] == "0.7100 ± 0.0100 (n=3)" and methods[0]["work of a search"] == "1.00e9"
    sign = 1 if difference["method"] == "TabNAS" else -1
    assert {difference["method"], difference["less"]} == set(AUC) and difference["by"] == "pairs, n=3"
    half = 4.302653 * 0.01 / 3**0.5  # Student's t of two degrees of freedom
    low, high = (sign * 0.01 + side * half for side in (-1, 1))
    assert difference["difference"] == f"{sign * 0.01:+.4f} [{low:+.4f}, {high:+.4f}]"


@pytest.mark.parametrize("changes", [{"recipe": "another"}, {"choices": {"dataset": "criteo"}}])
def test_other_recipes_and_data_sets_are_not_compared(root, changes):
    retrained(root, "TabNAS", AUC["TabNAS"])
    retrained(root, "random", AUC["random"], **changes)
    assert len(tables(compare([str(root)], metric="auc", format="markdown"))) == 1


def test_a_single_value_makes_no_difference(root):
    retrained(root, "TabNAS", AUC["TabNAS"])
    retrained(root, "random", AUC["random"][:1])
    assert len(tables(compare([str(root)], metric="auc", format="markdown"))) == 1


def test_random_architectures_of_equal_numbers_are_no_pairs(root):
    retrained(root, "small", AUC["TabNAS"], kind="random")
    retrained(root, "large", AUC["random"], kind="random")
    _, (difference,) = tables(compare([str(root)], metric="auc", format="markdown"))
    assert difference["by"] == "Welch, n=3 and 3"


def test_three_methods_have_three_intervals_at_once_with_holms_p(root):
    for label, aucs in {**AUC, "third": (0.5, 0.53, 0.52)}.items():
        retrained(root, label, aucs)
    text = compare([str(root)], metric="auc", format="markdown")
    assert "3 intervals that all hold at once with 95 % (Bonferroni)" in text
    rows = {(row["method"], row["less"]): row["difference"] for row in tables(text)[1]}
    half = 7.648855 * 0.01 / 3**0.5  # Student's t of two degrees of freedom at 1 - 0.05 / 3
    assert f"[{0.01 - half:+.4f}, {0.01 + half:+.4f}]" in rows["TabNAS", "random"]


def test_what_was_not_measured_is_refused_with_what_was(root):
    retrained(root, "TabNAS", AUC["TabNAS"])
    with pytest.raises(RequestError, match=r"metric: unknown 'acu'.*auc"):
        compare([str(root)], metric="acu", format="markdown")
    with pytest.raises(RequestError, match="format: unknown 'cvs'; did you mean 'csv'"):
        compare([str(root)], metric="auc", format="cvs")


def test_every_format_takes_the_view(root):
    retrained(root, "TabNAS", AUC["TabNAS"])
    content = json.loads(compare([str(root)], metric="auc", format="json"))
    assert content["tables"][0]["rows"][0]["auc"] == "0.7200 ± 0.0200 (n=3)"
    lines = list(csv.DictReader(io.StringIO(compare([str(root)], metric="auc", format="csv"))))
    assert lines[0]["auc"] == "0.7200 ± 0.0200 (n=3)" and lines[1]["remark"].startswith("auc on the test split")
    assert len(compare([str(root)], metric="auc", format="runs_csv").splitlines()) == 5  # a header and four trainings


def test_searches_alone_are_refused(root):
    fabricate.search(root)
    with pytest.raises(RequestError, match="none of these runs is a retrained network"):
        compare([str(root)], metric="auc", format="table")


def test_the_command_line_shows_it(root, capsys):
    retrained(root, "TabNAS", AUC["TabNAS"])
    assert cli.run(["compare", str(root), "metric=loss"]) == 0
    assert "Test loss of retrained networks" in capsys.readouterr().out
