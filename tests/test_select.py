"""The verb select: from several searches to one architecture that retrain takes like a search's."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from tests.commands import finish, start
from tests.test_resume import assert_identical

SMOKE = ["+experiment=darts_digits", "+debug=smoke", "strategy.lr=0.1"]
LONGER = ["checkpoint.seconds=0", "selection.epochs=12", "trainer.drop_path=0.3"]


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two finished searches, a and b."""
    folder = tmp_path_factory.mktemp("searches")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for seed, name in enumerate("ab"):
            assert cli.run(["search", *SMOKE, f"seed={seed}", f"run_dir={name}"]) == 0
    return folder


@pytest.fixture(autouse=True)
def folder(searches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in "ab":
        shutil.copytree(searches / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def test_search_select_retrain_compare_consume_each_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["select", "a", "b"]) == 0
    out = capsys.readouterr().out
    (run,) = (folder / "outputs" / "select" / "darts-darts-digits").iterdir()
    assert "short training error" in out and f"next: nasctl retrain from={run.relative_to(folder)}" in out
    result, lines = read(run / "result.json"), [json.loads(x) for x in (run / "trials.jsonl").read_text().splitlines()]
    found = [read(folder / name / "result.json") for name in "ab"]
    best = max(lines, key=lambda line: line["reward"])
    assert result["error_kind"] == "short training" and result["metrics"] == best["metrics"]
    assert result["selected"]["name"] == "ab"[best["index"]]
    chosen = read(folder / "ab"[best["index"]] / "architecture.json")
    assert read(run / "architecture.json") == chosen
    for what in ("cost", "work", "cpu_seconds"):
        assert result[what]["search"] == sum(search[what]["search"] for search in found) > 0
        assert result[what]["selection"] > 0 == result[what]["retrain"]
    costs = [json.loads(line) for line in (run / "costs.jsonl").read_text().splitlines()]
    assert {line["phase"] for line in costs} == {"selection"}
    assert cli.run(["retrain", f"from={run}", "run_dir=final"]) == 0
    final = read(folder / "final" / "result.json")
    assert final["cost"]["selection"] == result["cost"]["selection"] and final["work"]["retrain"] > 0
    assert final["source"]["label"] == "DARTS (first order), best of 2"
    capsys.readouterr()
    assert cli.run(["compare", "a", "b", str(run), "final", "format=json"]) == 0
    rows = json.loads(capsys.readouterr().out)["methods"]
    assert [row["method"] for row in rows] == ["DARTS (first order), best of 2", "DARTS (first order)"]
    assert rows[0]["work"] == result["work"]["search"] + result["work"]["selection"]


def test_bare_words_and_a_list_name_the_same_run(folder: Path) -> None:
    for arguments in (["a", "b"], ["from=[a,b]"], ["selection.epochs=1", "a", "b", "resume=auto"], ["a", "b", "a"]):
        assert cli.run(["select", *arguments]) == 0
    assert len(list((folder / "outputs" / "select").glob("*/*"))) == 1
    assert cli.run(["select", "b", "a"]) == 0  # another order is another selection: of equals, the first wins
    assert len(list((folder / "outputs" / "select").glob("*/*"))) == 2


def test_a_run_with_an_awkward_name(folder: Path) -> None:
    (folder / "a").rename(folder / "it's = 1")
    assert cli.run(["select", "it's = 1", "b", "run_dir=chosen"]) == 0
    assert (folder / "chosen" / "result.json").exists()


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["a", "b"], "b: the run is interrupted, not finished; give its command again to resume it"),
        (["a", "nowhere"], "from: nowhere is not the directory of a search"),
        (["a", "DARTS_V2"], "from: DARTS_V2 is not the directory of a search"),
        (["a", "."], ".: not a run directory"),
        ([*SMOKE], "from: nothing to start from"),
        (["a", "selection.epochs=0"], "selection.epochs=0: input should be greater than 0"),
    ],
)
def test_what_is_no_finished_search_is_refused_and_nothing_is_lost(
    arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b" / "status.json").write_text('{"status": "interrupted", "reason": "stopped"}')
    before = sorted(path for path in folder.rglob("*"))
    assert cli.run(["select", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert sorted(path for path in folder.rglob("*")) == before


def test_a_retrain_is_no_search(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["retrain", "from=a", "run_dir=final"]) == 0
    assert cli.run(["select", "a", "final"]) == 2
    assert "from: final is not the directory of a search" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_within_a_training_it_resumes_exactly(folder: Path) -> None:
    whole = ["select", "a", "b", *LONGER, "run_dir=whole"]
    process = start([*whole[:-1], "run_dir=killed"], folder)
    path, deadline = folder / "killed" / "history.jsonl", time.monotonic() + 120
    while not path.exists() or len(path.read_text().splitlines()) < 3:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert finish(process)[0] == -signal.SIGKILL
    assert not (folder / "killed" / "result.json").exists()
    for arguments in (whole, [*whole[:-1], "run_dir=killed", "resume=must"]):
        assert cli.run(arguments) == 0
    assert_identical(folder / "whole", folder / "killed")
