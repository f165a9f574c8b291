"""Sweeps side by side: what another process works on is left for later and then waited for."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from nasctl.config import sweep
from nasctl.config.sweep import Jobs, when_free
from nasctl.errors import RequestError
from nasctl.files import LOCK_ATTEMPTS, BusyError
from tests.commands import finish, start
from tests.test_runs import open_run, status


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "SECONDS", 0.0)


class Busy:
    """A job whose run is another process's the first ``times``."""

    def __init__(self, times: int) -> None:
        self.times, self.order = times, list[str]()

    def __call__(self, config: dict) -> None:
        if config["name"] == "busy" and self.times:
            self.times -= 1
            raise BusyError(Path("outputs/x"), "process 7")
        self.order.append(config["name"])


def test_a_job_that_is_anothers_comes_last(capsys: pytest.CaptureFixture[str]) -> None:
    job = Busy(3)
    jobs = Jobs("search", job)
    for name in ("a", "busy", "b"):
        jobs.run_in_sweep(name, lambda name=name: {"name": name})
    assert job.order == ["a", "b"] and not jobs.failed
    jobs.run_postponed()
    assert job.order == ["a", "b", "busy"] and not jobs.failed
    assert capsys.readouterr().err.count("outputs/x: process 7 is at work on this run; waiting for it") == 1


def test_a_failure_is_told_and_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    def job(config: dict) -> None:
        raise OSError(28, "No space left on device", "outputs/x")

    jobs = Jobs("search", job)
    with pytest.raises(OSError):
        jobs.run_in_sweep("job 0 (seed=1)", dict)
    assert len(jobs.failed) == 1
    assert capsys.readouterr().err.startswith("nasctl search: job 0 (seed=1): outputs/x: no space left on device; free")


def test_in_the_process_of_a_launcher_it_is_waited_for() -> None:
    job = Busy(2)
    jobs = Jobs("search", job)
    jobs.process = -1
    jobs.run_in_sweep("busy", lambda: {"name": "busy"})
    assert job.order == ["busy"] and not jobs.postponed


def test_a_run_that_another_finished_meanwhile_is_not_done_again(tmp_path: Path) -> None:
    run = open_run(tmp_path)
    assert not run.is_finished()
    with open_run(tmp_path):
        pass
    with pytest.raises(BusyError) as busy, run:
        pass
    assert busy.value.over and status(tmp_path)["status"] == "finished"
    with open_run(tmp_path):
        pass  # the lock was given back


def test_what_is_waited_for_is_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job, which reads data and builds networks before it asks for the lock, is not tried at each look."""
    held, tried, looks = open_run(tmp_path), list[int](), list[float]()

    def job(config: dict) -> None:
        tried.append(1)
        with open_run(tmp_path):
            pass

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == LOCK_ATTEMPTS + 5:
            held.__exit__(None, None, None)

    held.__enter__()
    monkeypatch.setattr(time, "sleep", sleep)
    when_free(job, {})
    assert len(tried) == 2 and len(looks) > 2 * LOCK_ATTEMPTS


def test_a_single_command_does_not_wait(tmp_path: Path) -> None:
    with open_run(tmp_path), pytest.raises(RequestError, match="wait for it or stop it"), open_run(tmp_path):
        pass
    when_free(lambda config: None, {})


@pytest.mark.slow
def test_identical_sweeps_all_end_well(tmp_path: Path) -> None:
    command = ["search", "-m", "+experiment=random_search_digits", "+debug=smoke", "seed=0,1,2"]
    processes = [start(command, tmp_path) for _ in range(3)]
    for process in processes:
        code, out, err = finish(process, 600)
        assert code == 0, err
        assert out.count("next: nasctl retrain") == 3
    paths = list(tmp_path.glob("outputs/search/*/*"))
    assert len(paths) == 3
    for path in paths:
        assert json.loads((path / "status.json").read_text())["status"] == "finished"
        assert "Traceback" not in (path / "log.txt").read_text()
        indices = [json.loads(line)["index"] for line in (path / "trials.jsonl").read_text().splitlines()]
        assert indices == sorted(set(indices))  # each trial once
