"""Walks that end early, or that a strategy ends, go through the loop, the records and a resume."""

import json
import shlex
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.errors import Interrupted
from nasctl.search.loop import Search

CONF = Path(__file__).parent / "conf"
SEARCH = ["search", "--config-dir", str(CONF), "space=chain", "dataset=none", "estimator=synthetic"]
SIZE = ["estimator.reference=10", "budget.trials=12", "checkpoint.seconds=0"]
STRATEGIES = {
    "q_learning": ["strategy=q_learning", "strategy.update.rate=0.5", "strategy.policy.epsilon=[[0,0.9]]"],
    "growing_depth": ["strategy=growing_depth", "space.must_stop=false"],
    "enas": ["strategy=enas", "strategy.samples=2", "strategy.final_selection.trials=3", "strategy.horizon=12"],
    "local_search": ["strategy=local_search"],
    "regularized_evolution": [
        "strategy=regularized_evolution",
        "strategy.population_size=4",
        "strategy.parent_selection.sample_size=2",
    ],
    "bayesian": ["strategy=bayesian", "strategy.initial=4", "strategy.pool=8"],
    "tpe": ["strategy=tpe", "strategy.initial=4"],
}


def halved(command, patch):
    """Run a search that is stopped after seven trials, and the same command again."""
    record = Search._record

    def stop(self, trial):
        record(self, trial)
        if self.trials == 7:
            raise Interrupted(15)

    with patch.context() as own:
        own.setattr(Search, "_record", stop)
        assert cli.run([*command, "run_dir=halved"]) == 143
    assert cli.run([*command, "run_dir=halved"]) == 0


def records(run):
    trials = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    return trials, json.loads((run / "architecture.json").read_text())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_walk_of_any_length_is_searched_recorded_and_resumed(strategy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = [*SEARCH, *SIZE, *STRATEGIES[strategy]]
    assert cli.run([*command, "run_dir=whole"]) == 0
    halved(command, monkeypatch)
    assert records(Path("halved")) == records(Path("whole"))
    trials, found = records(Path("whole"))
    assert len(trials) == 12 and len({len(trial["arch"]) for trial in trials}) > 1
    assert list(found["decisions"]) == [f"layer{i}" for i in range(len(found["arch"]))]
    assert cli.run(["compare", "."]) == 0


def test_the_depth_in_force_grows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.run([*SEARCH, *SIZE, *STRATEGIES["growing_depth"], "run_dir=run"]) == 0
    trials, _ = records(Path("run"))
    assert [len(trial["arch"]) for trial in trials] == [2] * 5 + [3] * 7


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder of searches, of a repeated one and of a retraining: no size of the space, no decisions.json."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for strategy in ("q_learning", "random_search"):
            assert cli.run([*SEARCH, *SIZE, f"strategy={strategy}", f"run_dir={strategy}"]) == 0
        assert cli.run([*SEARCH, *SIZE, "strategy=random_search", "repeats=3", "run_dir=repeated"]) == 0
        retrain = ["retrain", "--config-dir", str(CONF), "from=q_learning", "dataset=digits", "trainer.epochs=1"]
        assert cli.run([*retrain, "threads=1", "run_dir=retrained"]) == 0
    assert json.loads((folder / "q_learning/result.json").read_text())["space_size"] is None
    assert not list(folder.rglob("decisions.json"))
    return folder


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "Size of space chain: not known, since its architectures differ in length."),
        (["format=markdown"], "**Measured here**"),
        (["format=latex"], "\\begin"),
        (["format=csv"], "\nspace,"),
        (["format=json"], '"name": "chain",\n      "size": null'),
        (["format=runs_csv"], '"[3,3,3,3]"'),  # the numbers of a replica's architecture
        (["x=params"], "Error against params"),
        (["metric=error"], "Test error of retrained networks"),
        (["outcomes=params"], "Outcomes in params"),
    ],
)
def test_what_compare_shows_of_a_space_without_a_size(runs, arguments, expected, capsys):
    assert cli.run(["compare", str(runs), *arguments]) == 0
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["compare", "repeated", "regret=random_search"], "random_search: the size of its space chain is not known"),
        (["compare", ".", "regret=repeated"], "regret=repeated: the size of its space chain is not known"),
        (["compare", ".", "pareto=params"], "pareto=params: no trial of these runs has both params and accuracy"),
        (["compare", ".", "trajectory=layer0"], "trajectory: none of these runs recorded its policies"),
        (["compare", "q_learning", "outcomes=params"], "outcomes: none of these runs is a finished repeated search"),
        (["compare", "q_learning", "metric=error"], "metric=error: none of these runs is a retrained network"),
        (["correlate", "--config-dir", str(CONF), "q_learning", "n=10"], "which leaves no shared weights"),
        (["select", "--config-dir", str(CONF), "q_learning", "random_search"], "dataset=none holds nothing to train"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_of_it_is_one_sentence(runs, arguments, reason, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    assert cli.run(arguments) == 2
    told = capsys.readouterr().err
    assert reason in told and told.count("\n") == 1


def test_what_was_found_is_inspected(runs, monkeypatch, capsys):
    monkeypatch.chdir(runs)
    assert cli.run(["inspect", "--config-dir", str(CONF), "space=chain", "from=q_learning", "dataset=digits"]) == 0
    assert records(runs / "q_learning")[1]["notation"] in capsys.readouterr().out


@pytest.mark.slow
def test_the_printed_command_of_a_random_baseline_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    short = ["dataset=digits", "threads=1", "checkpoint.seconds=0"]
    own = ["--config-dir", str(CONF), "space=chain", *short, "estimator=from_scratch", "estimator.epochs=1"]
    assert cli.run(["search", *own, "strategy=local_search", "budget.trials=2", "run_dir=found"]) == 0
    command = ["retrain", "--config-dir", str(CONF), "from=found", *short, "trainer.epochs=1", "run_dir=final"]
    assert cli.run(command) == 0
    capsys.readouterr()
    assert cli.run(["compare", ".", "format=json"]) == 0
    [lacking] = json.loads(capsys.readouterr().out)["lacking"]
    printed = shlex.split(lacking["command"])
    assert printed[:4] == ["nasctl", "search", "--config-dir", str(CONF)]
    assert cli.run(printed[1:]) == 0
    assert len(list(Path("outputs").rglob("trials.jsonl"))) == 2  # seeds 0 and 1
