"""Killed at any moment and resumed, a run ends bit-identical to one never interrupted."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest
import torch

from nasctl.cli import main as cli
from tests.commands import finish, nasctl, start

TINY = ["threads=1", "checkpoint.seconds=0", "dataset=digits", "dataset.limit_test=32", "space=darts"]
SMALL = [f"space.{form}.{part}=2" for form in ("search", "final") for part in ("channels", "layers")]
DARTS = [
    "strategy=darts",
    "estimator/unroll=first_order",
    "dataset.limit_train=128",
    "estimator.batch_size=16",
]
EVOLUTION = ["strategy=regularized_evolution", "strategy.population_size=3", "strategy.parent_selection.sample_size=2"]
SHORT = ["estimator=from_scratch", "estimator.epochs=1", "trainer.batch_size=16", "dataset.limit_train=64"]
NSAS = [
    *(
        "strategy=random_search",
        "estimator/sampler=nsas",
        "estimator.sampler.members=2",
        "estimator.statistics.recalibrate=1",
    ),
    *("estimator.batch_size=16", "estimator.epochs=5", "estimator.schedule.warmup_epochs=5", "dataset.limit_train=128"),
]
ENAS = [
    *(
        "space=enas_micro",
        "space.search.layers=3",
        "space.final.layers=3",
        "strategy=enas",
        "strategy.samples=2",
        "strategy.final_selection.trials=2",
        "estimator.batch_size=16",
    ),
    *(
        "estimator.schedule.fit_epochs=1",
        "estimator.schedule.fit_every=4",
        "dataset.limit_train=128",
        "dataset.train_portion=0.5",
    ),
]
RETRAIN = ["from=DARTS_V2", "dataset.limit_train=128", "trainer.batch_size=16", "trainer.drop_path=0.3"]
TEXT = [
    *("from=LSTM", "space=lstm", "space.final.embedding=16", "space.final.units=16", "dataset=python_docs"),
    *("dataset.limit_train=2000", "dataset.limit_val=500", "dataset.limit_test=200", "dataset.bptt=10"),
    *("trainer=language_model", "trainer.averaging=true", "trainer.patience=1", "trainer.lr=40"),
]
RUNS = {
    "darts": ["search", *TINY, *SMALL, *DARTS, "budget.epochs=4"],
    "enas": ["search", *TINY, *SMALL, *ENAS, "budget.trials=82"],
    "nsas": ["search", *TINY, *SMALL, *NSAS, "budget.trials=6"],
    "evolution": ["search", *TINY, *SMALL, *EVOLUTION, *SHORT, "budget.trials=10"],
    "retrain": ["retrain", *TINY, *SMALL, *RETRAIN, "trainer.epochs=12"],
    "language": ["retrain", "threads=1", "checkpoint.seconds=0", *TEXT, "trainer.epochs=30"],
}


class Undisturbed(dict[str, Path]):
    """Runs that nobody interrupts, by name; each is made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> Path:
        code, _, err = nasctl([*RUNS[name], f"run_dir={name}"], self.folder)
        assert code == 0, err
        self[name] = self.folder / name
        return self[name]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed(tmp_path_factory.mktemp("undisturbed"))


def interrupt(name: str, folder: Path, number: int, moment: float) -> None:
    """Start or resume a run, and signal it ``moment`` seconds after a checkpoint of this process."""
    path = folder / name / "checkpoint.pt"
    before = path.stat().st_mtime_ns if path.exists() else 0
    process = start([*RUNS[name], f"run_dir={name}"], folder)
    deadline = time.monotonic() + 120
    while not path.exists() or path.stat().st_mtime_ns == before:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(moment)
    assert process.poll() is None, "the run ended before it could be killed: make it longer"
    process.send_signal(number)
    code, _, err = finish(process)
    assert code in (-number, 128 + number), err
    status = json.loads((folder / name / "status.json").read_text())["status"]
    assert status == ("running" if number == signal.SIGKILL else "interrupted")


def resume(name: str, folder: Path) -> None:
    code, _, err = nasctl([*RUNS[name], f"run_dir={name}", "resume=must"], folder)
    assert code == 0, err


def assert_identical(a: Path, b: Path) -> None:
    """Compare what a run decided: files byte for byte, weights bit for bit."""
    names = {path.name for run in (a, b) for path in run.iterdir()} - {"costs.jsonl"}  # seconds
    for file in (name for name in names if name == "architecture.json" or name.endswith(".jsonl")):
        assert (a / file).read_bytes() == (b / file).read_bytes(), file
    assert _without_clocks(a) == _without_clocks(b)
    weights = {path.name for run in (a, b) for path in run.glob("weights*.pt")}
    for file in weights or ("checkpoint.pt",):  # a training's last checkpoint is of the step at which the clock had it
        first, second = (torch.load(path / file, weights_only=True) for path in (a, b))
        assert _flat(first.get("state", first)) == _flat(second.get("state", second)), file


def _without_clocks(run: Path) -> dict[str, object]:
    result = json.loads((run / "result.json").read_text())
    return {key: value for key, value in result.items() if key not in ("cost", "cpu_seconds")}


def _flat(state: object, path: str = "") -> dict[str, object]:
    if isinstance(state, dict):
        return {k: v for key, value in state.items() for k, v in _flat(value, f"{path}/{key}").items()}
    if isinstance(state, list | tuple):
        return {k: v for i, value in enumerate(state) for k, v in _flat(value, f"{path}/{i}").items()}
    return {path: (state.dtype, state.numpy().tobytes()) if isinstance(state, torch.Tensor) else state}


def test_a_killed_run_resumes_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is killed needs a process of its own."""
    monkeypatch.chdir(tmp_path)
    interrupt("darts", tmp_path, signal.SIGKILL, 0.2)
    assert cli.run([*RUNS["darts"], "run_dir=darts", "resume=must"]) == 0
    assert cli.run([*RUNS["darts"], "run_dir=whole"]) == 0
    assert_identical(tmp_path / "whole", tmp_path / "darts")


@pytest.mark.slow
@pytest.mark.parametrize("name", list(RUNS))
def test_run_killed_twice_resumes_exactly(name: str, undisturbed: dict[str, Path], tmp_path: Path) -> None:
    interrupt(name, tmp_path, signal.SIGKILL, 0.2)
    interrupt(name, tmp_path, signal.SIGKILL, 0.1)
    resume(name, tmp_path)
    assert_identical(undisturbed[name], tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", list(RUNS))
def test_stopped_run_resumes_exactly(name: str, number: int, undisturbed: dict[str, Path], tmp_path: Path) -> None:
    interrupt(name, tmp_path, number, 0.1)
    resume(name, tmp_path)
    assert_identical(undisturbed[name], tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(10))
@pytest.mark.parametrize("name", list(RUNS))
def test_killed_at_ten_random_moments(name: str, moment: int, undisturbed: dict[str, Path], tmp_path: Path) -> None:
    interrupt(name, tmp_path, signal.SIGKILL, random.Random(f"{name}/{moment}").uniform(0, 1))
    resume(name, tmp_path)
    assert_identical(undisturbed[name], tmp_path / name)


@pytest.mark.slow
def test_another_seed_differs(undisturbed: dict[str, Path], tmp_path: Path) -> None:
    code, _, err = nasctl([*RUNS["darts"], "run_dir=darts", "seed=1"], tmp_path)
    assert code == 0, err
    with pytest.raises(AssertionError):
        assert_identical(undisturbed["darts"], tmp_path / "darts")
