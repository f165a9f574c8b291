"""Searches on table rows from the command line: records, exact resume, and what a wrong pair is told."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from tests.dataset.clicks import lines, text
from tests.test_resume import RUNS, assert_identical, interrupt, resume

SWEEP = [
    *("search", "threads=1", "checkpoint.seconds=0", "dataset=breast_cancer", "space=ffn", "space.widths=[4,8,16]"),
    *("strategy=enumeration", "estimator=stacked", "estimator.networks=4", "trainer=ffn", "trainer.batch_size=32"),
    *("trainer.epochs=20", "budget.trials=100"),
]


def run(arguments: list[str], folder: Path) -> dict:
    assert cli.run([*arguments, f"run_dir={folder}"]) == 0
    return json.loads((folder / "result.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_sweep_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    whole = run(SWEEP, tmp_path / "whole")
    assert whole["trials"] == 27  # the space ends before the budget
    monkeypatch.setitem(RUNS, "killed", SWEEP)
    interrupt("killed", tmp_path, number, 0.05)
    resume("killed", tmp_path)
    assert_identical(tmp_path / "whole", tmp_path / "killed")


CLICKS = ["space=ffn", "space.widths=[4,8]", "space.search.embedding=2", "space.final.embedding=3", "trainer=ffn"]


@pytest.fixture
def clicks(tmp_path: Path) -> list[str]:
    (tmp_path / "criteo").mkdir()
    (tmp_path / "criteo" / "train.txt").write_bytes(text(lines(300)) + b"no row\n")
    return [*CLICKS, "dataset=criteo", "dataset.on_bad_rows=skip", f"paths.data={tmp_path}", "threads=1"]


def test_a_search_on_clicks_records_what_it_left_out_and_embeddings_apart(tmp_path: Path, clicks: list[str]) -> None:
    searched = [*clicks, "strategy=random_search", "estimator.epochs=1", "budget.trials=3", "constraint=params"]
    found = run(["search", *searched, "constraint.limit=900"], tmp_path / "found")
    data = json.loads((tmp_path / "found" / "environment.json").read_text())["data"]
    assert (data["rows"], data["bad_rows"]) == ("300", "1")
    places = [word for word in clicks if word.startswith("paths.data=")]
    final = run(["retrain", f"from={tmp_path / 'found'}", "trainer.epochs=1", *places], tmp_path / "final")
    for result in (found, final):
        assert {"loss", "auc", "error", "accuracy"} <= set(result["metrics"])
        assert result["embedding_params"] % 3 == 0 and result["embedding_params"] > 0
        assert result["feasible"] and result["params"] <= 900
    assert list(json.loads((tmp_path / "found" / "decisions.json").read_text())) == ["layer1", "layer2", "layer3"]


def test_inspect_counts_embeddings_apart(tmp_path: Path, clicks: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.txt").write_text("8-4-8")
    assert cli.run(["inspect", *clicks, f"from={tmp_path / 'net.txt'}", "format=json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    inputs = 13 + 26 * 3
    assert shown["params"] == inputs * 8 + 8 + 8 * 4 + 4 + 4 * 8 + 8 + 9
    assert shown["embedding_params"] > 0 and shown["bottlenecks"] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dataset=criteo", "space=ffn"], "no file data/criteo/train.txt"),
        (["dataset=digits", "space=ffn"], "space=ffn builds classifiers of table rows"),
        (["dataset=breast_cancer", "space=darts"], "space=darts builds image classifiers"),
        (["dataset=digits", "space=darts", "estimator=stacked"], "estimator=stacked trains networks side by side"),
        (
            ["dataset=breast_cancer", "space=ffn", "constraint=params", "constraint.limit=10"],
            "the cheapest has 401",
        ),
    ],
)
def test_a_wrong_pair_is_told_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NASCTL_DATA", raising=False)
    code = cli.run(["search", "strategy=enumeration", "estimator=from_scratch", "budget.trials=1", *arguments])
    assert code == 2 and sentence in capsys.readouterr().err


def test_the_default_recipe_trains_rows_too(tmp_path: Path) -> None:
    small = ["space=ffn", "space.widths=[4]", "dataset=breast_cancer", "threads=1", "trainer.epochs=1"]
    found = run(
        ["search", *small, "strategy=random_search", "estimator.epochs=1", "budget.trials=1"], tmp_path / "found"
    )
    assert found["error_kind"] == "proxy"
    (tmp_path / "net.txt").write_text("4-4-4")
    final = run(["retrain", *small, f"from={tmp_path / 'net.txt'}", "trainer.drop_path=0"], tmp_path / "final")
    assert "embedding_params" not in final
