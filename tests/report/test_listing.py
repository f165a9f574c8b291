"""`nasctl ls`: groups, options and past runs."""

import pytest
from fabricate import CPU, DAY, retrain, run, search

from nasctl.errors import RequestError
from nasctl.report.choices import list_group
from nasctl.report.listing import list_runs


@pytest.fixture
def conf(tmp_path):
    """Return a config folder with two groups, a nested option and a file beside them."""
    for name, text in {
        "config.yaml": "# the root\n",
        "strategy/darts.yaml": "# gradient descent (https://arxiv.org/abs/1806.09055)\nlr: 1  # not this\n",
        "strategy/mine/odd.yaml": "lr: 1\n# late but first\n# second\n",
        "strategy/silent.yaml": "lr: 1\n",
        "strategy/darts/small.yaml": "# a part of darts\nlr: 1\n",
        "strategy/_part/none.yaml": "lr: 1\n",
        "experiment/darts.yaml": "# @package _global_\n# the paper's settings\n",
        "experiment/table/row.yaml": "# @package _global_\n# a row of the table\n",
    }.items():
        (tmp_path / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "conf" / name).write_text(text)
    (tmp_path / "conf" / "empty").mkdir()
    return tmp_path / "conf"


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Give the listing room for one line a row."""
    monkeypatch.setenv("COLUMNS", "250")


def cells(text):
    return [line.split() for line in text.splitlines()[3:]]


def test_groups_are_listed_with_their_choices(conf):
    listed = cells(list_group(None, conf))
    assert listed[:3] == [
        ["experiment", "darts,", "table/row"],
        ["strategy", "darts,", "silent"],
        ["strategy/mine", "odd"],
    ]
    assert [line[0] for line in listed[3:]] == ["view", "format"] and "pareto," in listed[3]


def test_views_are_listed_with_the_first_line_of_their_file(conf):
    assert "The Pareto front of the trials of searches" in list_group("view", conf)


def test_choices_of_whole_settings_lie_in_folders_too(conf):
    assert cells(list_group("experiment", conf))[1] == ["table/row", "a", "row", "of", "the", "table"]


def test_choices_are_listed_with_their_first_comment(conf):
    assert cells(list_group("strategy", conf)) == [
        ["darts", "gradient", "descent", "(https://arxiv.org/abs/1806.09055)"],
        ["silent"],
    ]
    assert cells(list_group("strategy/mine", conf)) == [["odd", "late", "but", "first"]]


def test_hydras_package_line_is_no_description(conf):
    assert cells(list_group("experiment", conf))[0] == ["darts", "the", "paper's", "settings"]


def test_an_unknown_group_is_refused_with_the_nearest(conf):
    with pytest.raises(RequestError, match=r"did you mean 'strategy'.*experiment, strategy, .*view, format, runs"):
        list_group("strategi", conf)


def test_a_missing_config_folder_is_refused(tmp_path):
    with pytest.raises(RequestError, match="no such config folder"):
        list_group(None, tmp_path / "nowhere")


def test_runs_are_listed_with_status_reason_error_cost_and_device(root):
    done = search(root, error=12.345, cost={"search": DAY, "selection": DAY, "retrain": 0.0}, device=CPU)
    trained = retrain(root, cost={"search": 9 * DAY, "selection": 9 * DAY, "retrain": DAY})
    selected = search(root, verb="select", signature="ssss", cost={"search": 9 * DAY, "selection": DAY, "retrain": 0.0})
    failed = run(root, "failed", status={"status": "failed", "reason": "loss is NaN at step 3"})
    killed = run(root, "killed", status={"status": "running"}, environment={"device": {"type": "cpu", "name": "Xeon"}})
    lines = {line.split()[0]: line.split()[1:] for line in list_runs([root]).splitlines()[3:]}
    unverified = ["unverified:", "no", "hashes", "in", "status.json"]  # as of all fabricated runs
    assert lines[str(done)] == ["finished", "12.35", "(proxy)", "2.00", "CPU-days", "Xeon", *unverified]
    assert lines[str(trained)] == ["finished", "3.00", "(retrained)", "1.00", "GPU-days", "H100", *unverified]
    assert lines[str(selected)] == ["finished", "11.11", "(proxy)", "1.00", "GPU-days", "H100", *unverified]
    assert lines[str(failed)] == ["failed", *["loss", "is", "NaN", "at", "step", "3"]]
    assert lines[str(killed)] == ["killed", "Xeon"]


def test_a_folder_without_runs_is_refused(root):
    with pytest.raises(RequestError, match="holds no run"):
        list_runs([root])
