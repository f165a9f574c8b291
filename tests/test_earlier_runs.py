"""Run directories of an earlier version are read by every verb that takes runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nasctl import cli
from nasctl.report.record import find

RUNS = Path(__file__).parent / "runs_of_0_1_0" / "outputs"
SMALL = ["dataset.limit_train=64", "dataset.limit_test=64", "trainer.epochs=1"]


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the runs, as outputs/ of the working directory."""
    shutil.copytree(RUNS, tmp_path / "outputs")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "outputs"


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found.relative_to(folder.parent)


def test_all_are_read_as_finished() -> None:
    assert {run.status for run in find([RUNS])} == {"finished"}
    assert len(find([RUNS])) == 13


@pytest.mark.parametrize("command", [["compare"], ["ls", "runs"], ["compare", "outputs", "metric=accuracy"]])
def test_reports_read_them(command: list[str], outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(command) == 0
    assert "damaged" not in capsys.readouterr().out


def test_a_search_of_them_is_retrained(outputs: Path) -> None:
    source = only(outputs, "search/darts-darts-digits/*")
    assert cli.run(["retrain", f"from={source}", "run_dir=new"]) == 0
    old = json.loads((only(outputs, "retrain/darts-darts-digits/*") / "result.json").read_text())
    new = json.loads(Path("new/result.json").read_text())
    assert [new[name] for name in ("params", "macs")] == [old[name] for name in ("params", "macs")]


def test_a_search_takes_the_work_of_one_of_them(outputs: Path) -> None:
    like = only(outputs, "search/darts-darts-digits/*")
    own = ["strategy=random_search", "estimator=from_scratch", f"budget.like={like}", "+debug=smoke"]
    own += ["budget.trials=null", "budget.epochs=null", *SMALL[:2], "run_dir=new"]
    assert cli.run(["search", *own]) == 0
    (old,) = (r for r in find([outputs]) if r.path.name.startswith("7a6f37175c"))
    found = [json.loads((folder / "architecture.json").read_text()) for folder in (old.path, Path("new"))]
    assert found[0] == found[1]


def test_two_of_them_are_selected_from(outputs: Path) -> None:
    searches = sorted(map(str, outputs.glob("search/darts-random_search-digits/ca*")))
    assert cli.run(["select", *searches, "run_dir=new"]) == 0
    assert json.loads(Path("new/result.json").read_text())["selected"]["kind"] == "run"
