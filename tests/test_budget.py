"""Equal work: what `budget.like` reads from a run, and what it refuses."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from nasctl.cli import main as cli
from nasctl.config import budget
from nasctl.config.configuration import Configuration
from nasctl.errors import RequestError
from nasctl.search.budget import Budget
from tests.small import Problem

WHOLE = {  # what each result.json has
    **{"signature": "a0", "seed": 0, "error": 9.0, "error_kind": "short training", "params": 5, "macs": 7},
    "device": {"type": "cpu", "name": "Xeon", "count": 1},
}
CHOICES = {"space": "darts", "dataset": "digits", "estimator": "from_scratch"}


@pytest.fixture
def config() -> dict[str, Any]:
    """Return the configuration of a search that is to be like the run ``other``."""
    made = deepcopy(Problem(estimator="from_scratch").config) | {"choices": dict(CHOICES)}
    return made | {"budget": {"trials": 3, "epochs": 2.0, "turns": None, "work": None, "like": "other"}}


def write(folder: Path, config: dict[str, Any], status: str = "finished", **result: Any) -> None:
    """Write the run that is to be matched."""
    work = {"search": 100, "selection": 20, "retrain": 7}
    made = WHOLE | {"cost": {phase: 1.0 for phase in work}, "verb": "search", "work": work} | result
    folder.mkdir()
    (folder / "status.json").write_text(json.dumps({"status": status}))
    (folder / "config.yaml").write_text(yaml.safe_dump({"signature": made["signature"], **config}))
    (folder / "result.json").write_text(json.dumps(made))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("verb", ["search", "select"])
def test_the_work_of_search_and_selection_replaces_the_other_limits(config: dict[str, Any], verb: str) -> None:
    write(Path("other"), config, verb=verb)
    assert budget.read(Configuration(config)) == Budget(trials=None, epochs=None, work=120)


@pytest.mark.parametrize(
    "limits, expected",
    [
        ({"work": 1e15}, Budget(trials=None, epochs=None, work=10**15)),
        ({"trials": 4, "work": 50}, Budget(trials=4, epochs=None, work=50)),
    ],
)
def test_limits_are_read_as_given(config: dict[str, Any], limits: dict[str, Any], expected: Budget) -> None:
    config["budget"] = {"trials": None, "epochs": None, "turns": None, "work": None, "like": None} | limits
    assert budget.read(Configuration(config)) == expected


def test_a_search_is_of_the_method_that_it_is_like(config: dict[str, Any]) -> None:
    write(Path("other"), config, signature="a1")
    write(Path("another"), config, signature="a2", method="a1")
    assert budget.liked(Configuration(config)) == "a1"
    assert budget.liked(Configuration(config | {"budget": config["budget"] | {"like": "another"}})) == "a1"
    assert budget.liked(Configuration(config | {"budget": config["budget"] | {"like": None}})) is None


def test_schedules_count_the_trials_of_the_run_that_a_search_is_like(config: dict[str, Any]) -> None:
    write(Path("other"), config, trials=500)
    write(Path("chosen"), config, verb="select", trials=4)
    config |= {"strategy": {"horizon": 3}, "overrides": []}
    assert budget.scheduled(Configuration(config)).plain["strategy"] == {"horizon": 500}
    given = config | {"overrides": ["strategy.horizon=3"]}
    alone = config | {"budget": config["budget"] | {"like": None}}
    for unchanged in (given, alone, config | {"strategy": {"horizon": 7}}, config | {"strategy": {"lr": 1}}):
        assert budget.scheduled(Configuration(unchanged)).plain == unchanged
    with pytest.raises(RequestError, match=r"budget\.like=chosen: a selection has no trials to schedule by; set"):
        budget.scheduled(Configuration(config | {"budget": config["budget"] | {"like": "chosen"}}))


@pytest.mark.parametrize("limits", [{}, {"epochs": 2.0}])
def test_a_search_that_nothing_ends_is_refused(config: dict[str, Any], limits: dict[str, Any]) -> None:
    config["budget"] = {"trials": None, "epochs": None, "turns": None, "work": None, "like": None} | limits
    with pytest.raises(RequestError, match=r"nothing ends a search with estimator=from_scratch; set budget\.trials or"):
        budget.read(Configuration(config))


@pytest.mark.parametrize(
    "change, said",
    [
        ({"status": "interrupted"}, "other: the run is interrupted, not finished; give its command again"),
        (
            {"verb": "retrain", "recipe": "r", "source": {"kind": "file", "name": "x.json"}},
            "other: made by retrain; name the search that it started from",
        ),
        ({"work": None}, "other: its record lacks the work that it used; run that search again"),
    ],
)
def test_a_run_without_a_finished_search_is_refused(config: dict[str, Any], change: dict[str, Any], said: str) -> None:
    write(Path("other"), config, **change)
    with pytest.raises(RequestError, match=said):
        budget.read(Configuration(config))


def test_a_missing_run_and_two_limits_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="other: not a run directory"):
        budget.read(Configuration(config))
    config["budget"]["work"] = 5
    with pytest.raises(RequestError, match="like and work are both given; remove one"):
        budget.read(Configuration(config))


@pytest.mark.parametrize("group, name", [("space", "nasbench201"), ("dataset", "cifar10")])
def test_a_run_of_another_space_or_data_set_is_refused(config: dict[str, Any], group: str, name: str) -> None:
    write(Path("other"), config | {"choices": CHOICES | {group: name}})
    with pytest.raises(RequestError, match=f"its {group} is {name}, here it is {CHOICES[group]}; leave {group} out"):
        budget.read(Configuration(config))


@pytest.mark.parametrize("group, key", [("dataset", "limit_train"), ("space", "nodes")])
def test_another_setting_of_the_space_or_data_set_is_named(config: dict[str, Any], group: str, key: str) -> None:
    other = deepcopy(config)
    other[group][key] = 7
    write(Path("other"), other)
    with pytest.raises(RequestError, match=rf"{group}\.{key}: 7 there, {config[group][key]} here"):
        budget.read(Configuration(config))


def test_other_settings_may_differ(config: dict[str, Any]) -> None:
    other = deepcopy(config)
    other["dataset"]["download"], other["trainer"]["epochs"] = True, 99
    write(Path("other"), other)
    assert budget.read(Configuration(config)).work == 120


SMALLEST = ["+experiment=darts_digits", "+debug=smoke", "strategy.lr=0.1"]
RANDOM = ["search", "strategy=random_search", "estimator=from_scratch", "estimator.epochs=1"]


def test_a_random_search_like_a_run_takes_its_problem_and_ends_at_its_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["search", *SMALLEST, "run_dir=found"]) == 0
    for seed in (0, 1):
        assert cli.run([*RANDOM, "budget.like=found", f"seed={seed}"]) == 0
    found = json.loads((folder / "found" / "result.json").read_text())
    config = yaml.safe_load((folder / "found" / "config.yaml").read_text())
    runs = sorted((folder / "outputs" / "search" / "darts-random_search-digits").iterdir())
    assert [run.name[-3:] for run in runs] == ["-s0", "-s1"] and runs[0].name[:-1] == runs[1].name[:-1]
    for run in runs:
        like = yaml.safe_load((run / "config.yaml").read_text())
        assert all(like[group] == config[group] for group in ("space", "dataset", "trainer", "constraint", "threads"))
        result = json.loads((run / "result.json").read_text())
        limits = {"trials": None, "epochs": None, "turns": None, "work": found["work"]["search"]}
        assert result["budget"] == limits and like["budget"] == limits | {"like": "found"}
        lines = (run / "trials.jsonl").read_text().splitlines()
        assert found["work"]["search"] <= result["work"]["search"] and result["trials"] == len(lines) > 2
    number = f"budget.work={found['work']['search']}"
    overrides = yaml.safe_load((runs[0] / "overrides.yaml").read_text())
    same = [o for o in overrides if not o.startswith("budget.like")]
    capsys.readouterr()
    assert cli.run(["search", *same, number]) == 0  # the number names the same run as the path did
    assert f"run {runs[0].relative_to(folder)}" in capsys.readouterr().out


def test_a_choice_of_the_users_own_is_kept_and_then_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["search", *SMALLEST, "run_dir=found"]) == 0
    assert cli.run([*RANDOM, "budget.like=found", "space=nasbench201"]) == 2
    assert "budget.like=found: its space is darts, here it is nasbench201" in capsys.readouterr().err
    assert cli.run([*RANDOM, "budget.like=found", "dataset.limit_train=32"]) == 2
    assert "dataset.limit_train: 64 there, 32 here" in capsys.readouterr().err
    assert cli.run(["search", "+experiment=random_search_digits", "budget.like=found"]) == 2
    assert "there, " in (err := capsys.readouterr().err) and "give the same setting" in err
    assert not (folder / "outputs").exists()


def test_a_warm_up_that_spends_the_epochs_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["search", *SMALLEST, "estimator.epochs=2", "budget.epochs=2", "estimator.schedule.warmup_epochs=2"]
    assert cli.run(arguments) == 2
    said = (
        "budget.epochs=2 is spent by estimator.schedule.warmup_epochs=2 before the first trial; set estimator.epochs=2"
    )
    assert said in capsys.readouterr().err
