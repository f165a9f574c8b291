"""Parts of strategies, shipped ones and a user's own, go through the loop, the records and a kill."""

import re
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from tests.doors.test_walks import CONF, SEARCH, SIZE, halved, records

FIXED = ["search", "--config-dir", str(CONF), "space=toy", "dataset=none", "estimator=synthetic"]
SMALL = ["strategy.population_size=4", "strategy.parent_selection.sample_size=2"]
PARTS = {
    "PPO, three passes over each batch": [*SEARCH, "strategy=ppo", "strategy.samples=2", "strategy.update.passes=3"],
    "PPO of independent logits": [*FIXED, "strategy=ppo", "strategy/policy=independent", "strategy.samples=3"],
    "REINFORCE without a baseline": [*SEARCH, "strategy=nas_rl", "strategy/update/baseline=none", "strategy.samples=2"],
    "Q-learning, shaped": [*SEARCH, "strategy=q_learning", "strategy/update/shaping=equal", "strategy.update.rate=0.3"],
    "crossover, and the worst dies": [
        *[*SEARCH, "strategy=regularized_evolution", *SMALL, "strategy/crossover=uniform"],
        *["strategy/mutation=each_decision", "strategy/survival=worst"],
    ],
    "a mutation of one's own": [*SEARCH, "strategy=regularized_evolution", *SMALL, "strategy/mutation=last_decision"],
    "an update of one's own": [*SEARCH, "strategy=nas_rl", "strategy/update=reward_weighted"],
    "a policy of one's own": [*SEARCH, "strategy=q_learning", "strategy/policy=boltzmann", "strategy.update.rate=0.3"],
}


@pytest.mark.parametrize("name", PARTS)
def test_a_composed_strategy_is_searched_recorded_and_resumed(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = [*PARTS[name], *SIZE]
    assert cli.run([*command, "run_dir=whole"]) == 0
    halved(command, monkeypatch)
    assert records(Path("halved")) == records(Path("whole"))
    assert len({tuple(trial["arch"]) for trial in records(Path("whole"))[0]}) > 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["strategy=regularized_evolution", "strategy/mutation=mute"],
            "tests.doors.parts.Mute in .* lacks mutate; add",
        ),
        (["strategy=q_learning", "strategy/policy=lstm"], "choose strategy/policy=q_table or strategy/update="),
        (["strategy=enas", "strategy/policy=q_table"], "choose strategy/policy=lstm or strategy/update=q_learning"),
        (
            ["strategy=enas", "strategy.policy=q_table"],
            "strategy.policy is a choice, one of boltzmann, independent, lstm, q_table; write",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused_before_anything_is_searched(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.run([*SEARCH, *SIZE, *words, "run_dir=run"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and re.search(sentence, told), told
