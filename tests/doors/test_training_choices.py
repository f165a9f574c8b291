"""A decision that is a learning rate reaches the trainer, the record and the retrain; costs are the network's alone."""

import json
from pathlib import Path

import pytest
import torch

from nasctl.cli import main as cli
from nasctl.errors import Interrupted
from nasctl.search.loop import Search
from tests.doors.test_walks import records

SMALL = ["dataset=breast_cancer", "trainer=ffn", "trainer.batch_size=64", "trainer.epochs=1", "threads=1"]
SEARCH = [*SMALL, "space=ffn", "space.widths=[4,6]", "estimator=from_scratch", "estimator.epochs=1", "budget.trials=6"]
CHOICES = "training_choices={lr: [0.5, 1e-9], schedule.lr_min: [0.0, 1e-10]}"
STRATEGIES = {
    "random_search": [],
    "regularized_evolution": ["strategy.population_size=3", "strategy.parent_selection.sample_size=2"],
    "enas": ["strategy.samples=2", "strategy.final_selection.trials=2", "strategy.horizon=6"],
}


def search(strategy, folder):
    own = [f"strategy={strategy}", *STRATEGIES[strategy], "checkpoint.seconds=0", f"run_dir={folder}"]
    return cli.run(["search", *SEARCH, CHOICES, *own])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_learning_rate_is_searched_recorded_resumed_and_retrained(strategy, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rates, step = [], torch.optim.SGD.step
    monkeypatch.setattr(torch.optim.SGD, "step", lambda self: (rates.append(self.param_groups[0]["lr"]), step(self))[1])
    assert search(strategy, "whole") == 0
    trials, found = records(Path("whole"))
    steps = len(rates) // len(trials)
    assert [rates[i * steps] for i in range(len(trials))] == [[0.5, 1e-9][trial["arch"][0]] for trial in trials]

    def stop(self):
        if self.trials == 3:
            raise Interrupted(15)

    with monkeypatch.context() as patch:
        patch.setattr(Search, "_retain", stop)
        assert search(strategy, "halved") == 143
    assert search(strategy, "halved") == 0 and records(Path("halved")) == (trials, found)
    lr, lr_min = found["arch"][:2]
    training = {"lr": [0.5, 1e-9][lr], "schedule.lr_min": [0.0, 1e-10][lr_min]}
    assert found["training"] == training and "trainer.lr" in found["decisions"]
    rates.clear()
    assert cli.run(["retrain", "from=whole", "run_dir=final"]) == 0 and set(rates) == {training["lr"]}
    assert f"the search has chosen trainer.lr={training['lr']}" in capsys.readouterr().err
    assert cli.run(["select", "whole", "selection.epochs=1", "run_dir=chosen"]) == 0
    for run in ("final", "chosen"):
        assert json.loads(Path(run, "architecture.json").read_text())["training"] == training
    assert cli.run(["compare", "."]) == 0
