"""Run directories of an earlier version are read by every verb that takes runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml

import nasctl
from nasctl.cli import main as cli
from nasctl.config import build, settings, shared_weights
from nasctl.core import EstimatorContext
from nasctl.errors import RequestError
from nasctl.report._read.record import find
from nasctl.runs import translation
from nasctl.runs.added import ADDED, completed
from nasctl.runs.reader import RunFiles
from nasctl.search.data import SearchData

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


@pytest.mark.parametrize(
    ("run", "resource"), [("ffn-*", "loss"), ("nasbench201-random_search-*", "loss"), ("rnn_darts-darts_rnn-*", None)]
)
def test_fronts_are_made_of_their_trials(
    run: str, resource: str | None, outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(only(outputs, f"search/{run}/*"))
    assert cli.run(["compare", folder, f"pareto={resource or 'params'}"]) == (0 if resource else 2)
    shown = capsys.readouterr()
    assert "on the front" in shown.out if resource else "has both params and perplexity; give a search" in shown.err


def test_a_search_of_them_is_retrained(outputs: Path) -> None:
    source = only(outputs, "search/darts-darts-digits/*")
    depth = "space.final.layers=5"  # that of the preset smoke then
    assert cli.run(["retrain", f"from={source}", depth, "run_dir=new"]) == 0
    old = json.loads((only(outputs, "retrain/darts-darts-digits/*") / "result.json").read_text())
    new = json.loads(Path("new/result.json").read_text())
    assert [new[name] for name in ("params", "macs")] == [old[name] for name in ("params", "macs")]


def test_a_search_takes_the_work_of_one_of_them(outputs: Path) -> None:
    like = only(outputs, "search/darts-darts-digits/*")
    own = ["strategy=random_search", "estimator=from_scratch", f"budget.like={like}", "+debug=smoke"]
    own += ["budget.trials=null", "budget.epochs=null", *SMALL[:2], "run_dir=new"]
    own += ["estimator.size={channels: 2, layers: 5}"]  # that of the preset smoke then
    assert cli.run(["search", *own]) == 0
    (old,) = (r for r in find([outputs]) if r.path.name.startswith("7a6f37175c"))
    found = [json.loads((folder / "architecture.json").read_text()) for folder in (old.path, Path("new"))]
    assert found[0] == {key: found[1][key] for key in found[0]}  # which has its edges and features, too


def test_two_of_them_are_selected_from(outputs: Path) -> None:
    searches = sorted(map(str, outputs.glob("search/darts-random_search-digits/ca*")))
    assert cli.run(["select", *searches, "run_dir=new"]) == 0
    assert json.loads(Path("new/result.json").read_text())["selected"]["kind"] == "run"


def test_the_kind_of_a_declared_error_is_read_as_synthetic() -> None:
    (run,) = RUNS.glob("search/toy-tabnas-none/*")
    lines = list(RunFiles(run).lines("replicas.jsonl"))
    kinds = [record["error_kind"] for record in (RunFiles(run).read("result.json"), *lines)]
    assert '"declared"' in (run / "result.json").read_text() and set(kinds) == {"synthetic"}


FOUND = sorted(file.parent for file in RUNS.glob("*/*/*/architecture.json"))
SUPERNETS = [path for path in FOUND if "Supernet" in (path / "config.yaml").read_text() and "search" in path.parts]


def settings_of(run: Path) -> dict:
    return translation.of_config(yaml.safe_load((run / "config.yaml").read_text()))


@pytest.mark.parametrize("run", FOUND, ids=lambda run: run.parent.name)
def test_the_genotype_of_each_is_loaded(run: Path, tmp_path: Path) -> None:
    recorded = json.loads((run / "architecture.json").read_text())["genotype"]
    loaded = nasctl.load(str(run), data=str(tmp_path))
    assert loaded.genotype == recorded and loaded.network is None  # without weights.pt


def test_they_lack_settings_of_today_and_are_completed() -> None:
    lacking = set()
    for run in find([RUNS]):
        recorded = settings_of(run.path)
        for group in (group for group in settings.GROUPS if "_target_" in recorded.get(group, {})):
            if build._bind(recorded[group], group)[1]:
                lacking.add(group)
            assert build._bind(completed(recorded[group]), group)[1] == []
    assert lacking == {"strategy", "estimator", "dataset", "trainer"}


@pytest.mark.parametrize("name", ADDED)
def test_what_was_added_are_settings_of_the_class(name: str) -> None:
    names = build._keyword_only(build.target({"_target_": name}))
    own = {key: value for key, value in ADDED[name].items() if not isinstance(value, dict)}
    assert set(ADDED[name]) <= set(names)
    misfits = build._bind_to(build.target({"_target_": name}), own, name)[1]
    assert all("a value is required" in misfit for misfit in misfits)  # of the others


@pytest.mark.parametrize(
    ("node", "right"),
    [
        ({"search_split": "order"}, {"search_split": "order", "architecture_batches": "epoch"}),
        ({"augment": {"search": 1}}, {"augment": {"search": 1, "architecture": None}}),
        ({"augment": {"architecture": 2}}, {"augment": {"architecture": 2}}),
        ({"augment": None}, {"augment": None}),
    ],
)
def test_what_is_recorded_stays(node: dict, right: dict) -> None:
    found = completed({"_target_": "nasctl.dataset.digits.Digits", **node})
    assert {key: found[key] for key in right} == right
    nested = completed({"_target_": "own.Class", "part": {"_target_": "nasctl.dataset.digits.Digits", **node}})
    assert nested == {"_target_": "own.Class", "part": found}


@pytest.mark.parametrize("run", SUPERNETS, ids=lambda run: run.parent.name)
def test_without_a_checkpoint_they_are_not_correlated(run: Path) -> None:
    with pytest.raises(RequestError, match=r"has no checkpoint.pt.*run that search again"):
        shared_weights.load(run, None, {}, torch.device("cpu"))


def test_with_a_checkpoint_they_are_correlated(outputs: Path) -> None:
    run = only(outputs, "search/nasbench201-random_search-digits/*")
    save_checkpoint(run)
    assert cli.run(["correlate", str(run), "n=3", "run_dir=new"]) == 0
    lines = [json.loads(line) for line in Path("new/correlation.jsonl").read_text().splitlines()]
    assert len(lines) == 3 and all(0 <= line["scores"][0] <= 1 for line in lines)


def save_checkpoint(run: Path) -> None:
    """Write the checkpoint that a fixture is kept without, of untrained weights."""
    theirs, device = completed(settings_of(run)), torch.device("cpu")
    dataset = build.make(theirs["dataset"], Path("data"), device, theirs["seed"])
    places = build.make(theirs["space"], dataset.task), SearchData(dataset), device, theirs["seed"]
    estimator = build.make(theirs["estimator"], EstimatorContext(*places, lambda shown: None))
    torch.save({"sizes": {}, "state": {"estimator": estimator.state_dict()}}, run / "checkpoint.pt")
