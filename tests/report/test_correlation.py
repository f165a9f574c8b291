"""Statistics of correlation.jsonl on fabricated lines."""

import io

import numpy
import pytest
from scipy.stats import kendalltau

from nasctl.errors import RunError
from nasctl.report import correlation

SETTINGS = {"top": 0.1, "resamples": 100, "seed": 0}


def fabricated(count=60, runs=2, trainings=3, noise=0.5):
    draw = numpy.random.default_rng(1)
    lines = []
    for index in range(count):
        quality = draw.normal()
        lines.append(
            {
                "index": index,
                "trained": [quality + 0.1 * draw.normal() for _ in range(trainings)],
                "scores": [quality + noise * draw.normal() for _ in range(runs)],
                "params": 1000 + 100 * quality,
                "macs": [10, 20, 30][index % 3],
                "error": None,
            }
        )
    return lines


def test_what_knows_the_truth_is_at_one_and_what_reverses_it_at_minus_one():
    lines = fabricated(count=120, runs=2, trainings=1, noise=0)
    for line in lines:
        line["scores"][1] *= -1
        line["trained"] = line["scores"][:1]
    good, bad, params, _ = correlation.analyse(lines, ["good", "bad"], **SETTINGS)["predictors"]
    for name in ("tau", "rho", "hits", "tau_of_best", "tau_of_equal_macs"):
        assert good[name] == params[name] == pytest.approx((1, 1, 1))
        assert bad[name] == pytest.approx((0, 0, 0) if name == "hits" else (-1, -1, -1))


def test_the_best_and_the_strata_are_parts_of_the_whole():
    lines = fabricated()
    (line, *_) = correlation.analyse(lines, ["a", "a"], **SETTINGS)["predictors"]
    truth = [sum(each["trained"]) for each in lines]
    best = sorted(range(60), key=lambda i: -truth[i])[:6]
    expected = [kendalltau([lines[i]["scores"][k] for i in best], [truth[i] for i in best]).statistic for k in (0, 1)]
    assert line["tau_of_best"][0] == pytest.approx(sum(expected) / 2)
    pairs = [(i, j) for i in range(60) for j in range(i) if lines[i]["macs"] == lines[j]["macs"]]
    agree = [
        [(lines[i]["scores"][k] > lines[j]["scores"][k]) == (truth[i] > truth[j]) for i, j in pairs] for k in (0, 1)
    ]
    assert line["tau_of_equal_macs"][0] == pytest.approx(numpy.mean([2 * numpy.mean(each) - 1 for each in agree]))
    assert line["tau"][1] < line["tau"][0] < line["tau"][2] and line["runs"] == 2


def test_the_ceiling_is_what_a_training_knows_of_the_others():
    lines = fabricated(trainings=2)
    ceiling = correlation.analyse(lines, ["a", "a"], **SETTINGS)["ceiling"]
    expected = kendalltau(*zip(*(line["trained"] for line in lines), strict=True)).statistic
    assert ceiling["tau"][0] == pytest.approx(expected) and ceiling["tau_std"] == pytest.approx(0)
    assert correlation.analyse(fabricated(trainings=1), ["a", "a"], **SETTINGS)["ceiling"] is None


def test_failed_trainings_are_left_out_and_counted():
    lines = fabricated()
    expected = correlation.analyse(lines, ["a", "b"], **SETTINGS)
    lines.insert(5, {**lines[5], "trained": None, "error": "diverged"})
    found = correlation.analyse(lines, ["a", "b"], **SETTINGS)
    assert found == expected | {"failed": 1}
    assert "60 architectures; 1 more failed to train" in correlation.document(found, "x").remarks[0]


@pytest.mark.parametrize(
    ("count", "top", "names"),
    [
        (9, 0.1, set()),
        (10, 0.1, {"tau", "rho"}),
        (12, 0.2, {"tau", "rho", "hits"}),  # 18 pairs of equal MACs, two that are the best
        (15, 0.1, {"tau", "rho", "hits", "tau_of_equal_macs"}),
        (60, 0.15, {"tau", "rho", "hits", "tau_of_equal_macs"}),
        (60, 0.2, {"tau", "rho", "hits", "tau_of_equal_macs", "tau_of_best"}),
    ],
)
def test_what_is_of_too_few_has_a_value_and_no_interval(count, top, names):
    found = correlation.analyse(fabricated(count), ["a", "a"], **SETTINGS | {"top": top})
    line = found["predictors"][0]
    statistics = {name: value for name, value in line.items() if isinstance(value, tuple)}
    assert {name for name, (_, low, high) in statistics.items() if None not in (low, high)} == names
    assert ("too few" in correlation.show(found, "x")) == (len(statistics) > len(names))


FAILED = {**fabricated(1)[0], "trained": None, "error": "diverged"}


def test_too_few_architectures_have_no_statistics_but_a_table():
    found = correlation.analyse([*fabricated(count=2), FAILED], ["a", "a"], **SETTINGS)
    assert found["predictors"][0]["tau"] is None and found["failed"] == 1
    assert "a" in correlation.show(found, "retrained quality")


def test_without_any_the_last_failure_is_told():
    with pytest.raises(RunError, match=r"no architecture could be trained; the last one: diverged"):
        correlation.analyse([FAILED] * 3, ["a", "a"], **SETTINGS)


def test_the_table_shows_every_predictor_with_its_interval():
    found = correlation.analyse(fabricated(), ["SPOS", "FairNAS"], **SETTINGS)
    content = correlation.document(found, "retrained quality")
    rows = {row[0]: dict(zip(content.header, row, strict=True)) for row in content.rows}
    assert list(rows) == ["SPOS", "FairNAS", "params", "macs", "ceiling: one training"]
    assert rows["SPOS"]["tau"] == "{:.2f} [{:.2f}, {:.2f}]".format(*found["predictors"][0]["tau"])
    assert rows["ceiling: one training"]["tau"].count("±") == 1 and rows["macs"]["tau, equal MACs"] == ""


def test_the_plot_is_a_png_with_a_panel_for_each_method():
    pytest.importorskip("matplotlib")
    file = io.BytesIO()
    correlation.draw(fabricated(), ["SPOS", "FairNAS"], file)
    assert file.getvalue().startswith(b"\x89PNG")
