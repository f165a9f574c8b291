"""Walks that end early, or that a strategy ends, go through the loop, the records and a resume."""

import json
from pathlib import Path

import pytest

from nasctl import cli
from nasctl.core import Interrupted
from nasctl.search import Search

CONF = Path(__file__).parent / "conf"
SEARCH = ["search", "--config-dir", str(CONF), "space=chain", "dataset=none", "estimator=synthetic"]
SIZE = ["estimator.reference=10", "budget.trials=12", "checkpoint.seconds=0"]
STRATEGIES = {
    "q_table": ["strategy=q_table"],
    "growing_depth": ["strategy=growing_depth", "space.must_stop=false"],
    "enas": ["strategy=enas", "strategy.samples=2", "strategy.selection=3", "strategy.horizon=12"],
    "local_search": ["strategy=local_search"],
    "regularized_evolution": ["strategy=regularized_evolution", "strategy.population_size=4", "strategy.sample_size=2"],
    "bayesian": ["strategy=bayesian", "strategy.initial=4", "strategy.pool=8"],
    "tpe": ["strategy=tpe", "strategy.initial=4"],
}


def records(run):
    trials = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    return trials, json.loads((run / "architecture.json").read_text())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_walk_of_any_length_is_searched_recorded_and_resumed(strategy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = [*SEARCH, *SIZE, *STRATEGIES[strategy]]
    assert cli.run([*command, "run_dir=whole"]) == 0
    record = Search._record

    def stop(self, trial):
        record(self, trial)
        if self.trials == 7:
            raise Interrupted(15)

    with monkeypatch.context() as patch:
        patch.setattr(Search, "_record", stop)
        assert cli.run([*command, "run_dir=halved"]) == 143
    assert cli.run([*command, "run_dir=halved"]) == 0
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
