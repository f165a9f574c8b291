"""A resource of one's own, measured and kept in the run, limits a search, is in its reward and in its record."""

import json
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from tests.doors.resumed import records

CONF = Path(__file__).parent / "conf"
ROWS = ["search", "--config-dir", str(CONF), "space=ffn", "space.widths=[2,3,4]", "dataset=breast_cancer", "threads=1"]
SCORED = ["estimator=zero_cost", "estimator/score=params", "reward=score", "budget.trials=6", "checkpoint.seconds=0"]
WAYS = {
    "limit": ["constraint=limit", "constraint.resource=wattage", "constraint.limit=9"],
    "limits": ["constraint=several", "constraint.limits={wattage: 9, params: 160}"],
    "reward": ["reward=absolute", "reward.name=score", "reward.resource=wattage", "reward.target=5"],
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_taken_by_its_name_and_measured_once(way, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    measured = []
    monkeypatch.setattr("tests.doors.wattage.MEASURED", measured)
    command = [*ROWS, *SCORED, *WAYS[way], "strategy=random_search", "resource=wattage", "resource.offset=2"]
    whole, halved = records(command, monkeypatch)
    result = halved[1]
    assert whole[0].count("\n") == halved[0].count("\n") == 6
    kept = [json.loads(Path(run, "wattage.json").read_text())["known"] for run in ("whole", "halved")]
    assert len(measured) == sum(map(len, kept)) and all(kept)  # nothing twice, by a resumed search neither
    assert result["wattage"] == {"offset": 2} and result["costs"]["wattage"] == int(result["costs"]["wattage"])
    assert set(result["costs"]) == {"params", "macs", "wattage"}
    assert way == "reward" or result["feasible"] in (True, False)
    if way == "reward":
        assert cli.run(["compare", "whole", "pareto=wattage"]) == 0


def test_one_that_is_not_there_is_named_before_anything_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    limit = ["constraint=limit", "constraint.resource=wattag", "constraint.limit=9", "strategy=random_search"]
    assert cli.run([*ROWS, *SCORED, *limit]) == 2
    said = "constraint.resource: unknown 'wattag'; did you mean 'wattage'? choose from latency, macs, params, wattage"
    assert said in capsys.readouterr().err and not list(tmp_path.iterdir())
