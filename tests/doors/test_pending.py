"""Several candidates pending at a time: beams, several objectives, and results in any order of arrival."""

import itertools
import json
from pathlib import Path

import pytest
import torch

from nasctl.cli import main as cli
from tests.doors.nsga import survivors
from tests.doors.shuffled import Shuffled

CONF = Path(__file__).parent / "conf"
SEARCH = ["search", "--config-dir", str(CONF), "space=chain", "space.must_stop=false", "dataset=none"]
SIZE = ["estimator=synthetic", "estimator.reference=10", "checkpoint.seconds=0", "pending=3"]
EVOLUTION = ["strategy=regularized_evolution", "strategy.population_size=3", "strategy.parent_selection.sample_size=2"]
ORDERS = list(itertools.permutations(range(3)))


def searched(name, *settings, code=0, stop_after=None):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shuffled, "stop_after", stop_after)
        assert cli.run([*SEARCH, *SIZE, *settings, f"run_dir={name}"]) == code
    return [json.loads(line) for line in Path(name, "trials.jsonl").read_text().splitlines()]


def resumed(name, *settings, stop_after=4):
    """Return the trials of a search that is stopped after some results, then resumed."""
    searched(name, *settings, code=143, stop_after=stop_after)
    saved = torch.load(Path(name, "checkpoint.pt"), weights_only=True)["state"]["pending"]
    return searched(name, *settings), saved


@pytest.mark.parametrize("executor", [[], ["executor=shuffled"]])
def test_a_beam_waits_for_a_level_and_extends_its_best(executor, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ["strategy=beam", "budget.trials=99", *executor]
    trials = searched("run", *settings)
    first, second = ([t for t in trials if len(t["arch"]) == depth] for depth in (1, 2))
    assert (len(first), len(second), len(trials)) == (3, 6, 9)
    best = sorted(first, key=lambda trial: -trial["reward"])[:2]
    assert {trial["arch"][0] for trial in second} == {trial["arch"][0] for trial in best}
    if executor:
        assert resumed("again", *settings)[0] == trials


def test_three_objectives_rank_a_population(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trials = searched("run", "strategy=nsga", "budget.trials=20", "executor=shuffled")
    assert all(trial["costs"].keys() == {"params", "macs"} and "params" not in trial["metrics"] for trial in trials)
    members = []
    for trial in trials:
        members = survivors([*members, [trial["arch"], [trial["metrics"]["error"], *trial["costs"].values()]]], 4)
    state = torch.load("run/checkpoint.pt", weights_only=True)["state"]["strategy"]
    assert state["members"] == members
    assert resumed("again", "strategy=nsga", "budget.trials=20", "executor=shuffled")[0] == trials
