"""A dry run: two steps on the same path as a run, figures on the terminal, and nothing on the disk."""

from __future__ import annotations

import re
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from nasctl.cli import main as cli
from nasctl.errors import RequestError
from nasctl.runs import dry_run
from nasctl.runs.dry_run import DryRun, Step, steps_of
from tests.commands import SMALL

DATA = ["dataset=digits", "dataset.limit_train=128", "dataset.limit_test=32", "threads=1"]
SEARCH = ["search", *SMALL, *DATA, "estimator.batch_size=16"]
RETRAIN = ["retrain", *SMALL, *DATA, "from=DARTS_V2", "trainer.batch_size=16", "trainer.epochs=5"]
FIRST_ORDER = ["strategy=darts", "estimator/unroll=first_order"]
SCRATCH = ["strategy=random_search", "estimator=from_scratch", "trainer.batch_size=16", "estimator.epochs=2"]
COMMANDS = {
    "search by epochs": ([*SEARCH, *FIRST_ORDER, "budget.epochs=3"], "12"),
    "search by trials": ([*SEARCH, *FIRST_ORDER, "budget.trials=7"], "7"),
    "search with warm-up": (
        [
            *SEARCH,
            "strategy=random_search",
            "estimator.schedule.warmup_epochs=2",
            "estimator.epochs=2",
            "budget.trials=9",
        ],
        "8 of warm-up; the trials come on top",
    ),
    "search from scratch": (
        ["search", *SMALL, *DATA, *SCRATCH, "budget.trials=6"],
        "6 x 8 of training; scoring the trials comes on top",
    ),
    "retrain": (RETRAIN, "40"),
}


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Run in an empty folder, with another one for temporary files, where nothing of ours may be left."""
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir(), temporary.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield home
    assert not list(temporary.glob("nasctl*"))


@pytest.mark.parametrize("command", COMMANDS)
def test_it_tells_what_the_run_would_take_and_leaves_nothing(
    command: str, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, planned = COMMANDS[command]
    assert cli.run([*arguments, "dry_run=true"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.split(r"\s{2,}", line)[0] for line in lines] == ["peak memory", "a step", "steps planned", "estimated"]
    assert lines[2] == f"steps planned  {planned}"
    assert not list(empty.iterdir())


def test_a_dry_run_ignores_and_keeps_the_finished_run_of_the_same_settings(
    empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*RETRAIN, "trainer.epochs=1", "run_dir=final"]) == 0
    before = {path: path.read_bytes() for path in empty.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert cli.run([*RETRAIN, "trainer.epochs=1", "run_dir=final", "dry_run=true"]) == 0
    assert "steps planned  8" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in empty.rglob("*") if path.is_file()} == before


def test_a_run_shorter_than_two_steps_says_so(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*RETRAIN, "trainer.batch_size=128", "trainer.epochs=1", "dry_run=true"]) == 0
    assert "steps planned  1: the run is shorter than a dry run" in capsys.readouterr().out
    assert not list(empty.iterdir())


def test_a_request_that_is_wrong_is_refused_as_in_a_run(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*RETRAIN, "trainer.precision=fp16", "device=cpu", "dry_run=true"]) == 2
    assert "trainer.precision=fp16 needs a GPU" in capsys.readouterr().err
    assert not list(empty.iterdir())


class Clock:
    """Stands for the time, which passes where a test says so."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> DryRun:
    config = {"overrides": [], "dry_run": True}
    return DryRun(config, phase="search", device=torch.device("cpu"), trials=10)


def test_the_seconds_are_those_of_the_second_step(
    run: DryRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    monkeypatch.setattr(dry_run, "time", clock)
    with run:
        clock.now = 100.0  # the first step compiles, reads and warms up
        run.tick(dict, {"share": 0.01})
        clock.now = 102.5
        run.tick(dict, {"share": 0.02})
        pytest.fail("a dry run has two steps")
    out = capsys.readouterr().out
    assert "a step         2.5 s" in out and "steps planned  100" in out and "estimated      4m10s" in out


def test_the_estimate_of_trainings_is_of_all_trials(
    run: DryRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    monkeypatch.setattr(dry_run, "time", clock)
    with run:
        for second in (1, 2, 3):
            clock.now = float(second)
            run.pulse({"share": None, "trial_share": second / 36})
    assert "estimated      6m00s" in capsys.readouterr().out


def test_pulses_without_a_share_are_no_steps(run: DryRun, capsys: pytest.CaptureFixture[str]) -> None:
    with run:
        for _ in range(5):
            run.pulse({"phase": "something"})
    assert "steps planned  0" in capsys.readouterr().out


def test_the_memory_is_the_high_water_mark_of_the_process(run: DryRun) -> None:
    before = run._memory()
    held = torch.ones(2**25)  # 128 MiB
    assert run._memory() >= before
    assert run._memory() == resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > held.nbytes


def test_an_error_is_raised_and_the_folder_removed(run: DryRun, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RequestError, match="wrong"), run:
        raise RequestError("wrong")
    assert not run.path.exists() and "peak" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "first, second, planned",
    [(0.0, 0.25, 4), (0.25, 0.5, 4), (1.0, 1.0, 1), (1 / 9000, 2 / 9000, 9000), (0.0, 0.0, 1)],
)
def test_steps_are_planned_from_what_one_adds(first: float, second: float, planned: int) -> None:
    assert steps_of(Step(0, "run", first), Step(1, "run", second)) == planned
