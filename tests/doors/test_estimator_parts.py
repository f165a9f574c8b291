"""A zero-cost score and a path sampler of one's own go through the loop, the records and a resume."""

from pathlib import Path

import pytest

from nasctl.cli import main as cli
from tests.doors.resumed import records

CONF = Path(__file__).parent / "conf"
ROWS = ["search", "--config-dir", str(CONF), "space=ffn", "space.widths=[2,3,4]", "dataset=breast_cancer", "threads=1"]
SHARED = ["estimator.batch_size=64", "estimator.epochs=1", "estimator.schedule.warmup_epochs=1", "budget.trials=3"]
DOORS = {
    "spread": ["estimator=zero_cost", "estimator/score=spread", "estimator.score.power=1", "budget.trials=5"],
    "repeated": ["estimator=supernet", "estimator/sampler=repeated", "estimator.sampler.times=3", *SHARED],
}
REWARDS = {"spread": ["reward=score"], "repeated": []}


@pytest.mark.parametrize("door", DOORS)
def test_a_part_of_ones_own_is_searched_with_recorded_and_resumed(door, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = [*ROWS, *DOORS[door], *REWARDS[door], "strategy=random_search", "checkpoint.seconds=0"]
    (whole, _), (halved, _) = records(command, monkeypatch)
    assert whole == halved and whole.count("\n") == (5 if door == "spread" else 3)
    assert door in Path("whole", "config.yaml").read_text()
    assert cli.run(["compare", "."]) == 0


def test_what_a_score_of_ones_own_lacks_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr("tests.doors.spread.Spread.score")
    assert cli.run([*ROWS, *DOORS["spread"], "strategy=random_search"]) == 2
    said = capsys.readouterr().err
    assert "estimator.score: tests.doors.spread.Spread in" in said and "lacks score; add what" in said
    assert not list(tmp_path.iterdir())
