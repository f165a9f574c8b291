"""Hydra sweeps: one failing job stops nobody, and a sweep given again does only what is missing."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.commands import finish, nasctl, start

SMOKE = ["space=darts", "dataset=digits", "+debug=smoke"]
SWEEP = ["search", "-m", *SMOKE, "strategy=darts,random_search", "seed=0,1"]


def statuses(folder: Path) -> dict[str, str]:
    found = (folder / "outputs" / "search").glob("*/*/status.json")
    return {f"{p.parts[-3]}/{p.parts[-2]}": json.loads(p.read_text())["status"] for p in found}


@pytest.mark.slow
def test_a_failing_job_stops_nobody(tmp_path: Path) -> None:
    longer = ["budget.epochs=3", "estimator.epochs=3", "budget.trials=9"]
    code, _, err = nasctl(
        ["search", "-m", *SMOKE, "strategy=darts", *longer, "estimator.optimizer.lr=1e30,0.1"], tmp_path
    )
    assert code == 1
    assert sorted(statuses(tmp_path).values()) == ["failed", "finished"]
    assert "job 0" in err and "loss is nan at step" in err
    (failed,) = [
        p for p in (tmp_path / "outputs" / "search").glob("*/*") if "failed" in (p / "status.json").read_text()
    ]
    assert "Traceback" in (failed / "log.txt").read_text()


@pytest.mark.slow
def test_a_sweep_killed_and_given_again_does_the_missing_work(tmp_path: Path) -> None:
    process = start(SWEEP, tmp_path)
    deadline = time.monotonic() + 120
    while "finished" not in (found := statuses(tmp_path)).values() or len(found) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    finish(process)
    done = [name for name, status in statuses(tmp_path).items() if status == "finished"]
    before = {name: (tmp_path / "outputs" / "search" / name / "costs.jsonl").read_bytes() for name in done}
    assert 1 <= len(done) < 4
    code, _, err = nasctl(SWEEP, tmp_path)
    assert code == 0, err
    assert list(statuses(tmp_path).values()) == ["finished"] * 4
    assert {name: (tmp_path / "outputs" / "search" / name / "costs.jsonl").read_bytes() for name in done} == before


@pytest.mark.slow
def test_ctrl_c_ends_the_whole_sweep(tmp_path: Path) -> None:
    process = start(SWEEP, tmp_path)
    deadline = time.monotonic() + 120
    while not statuses(tmp_path):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130, err
    assert list(statuses(tmp_path).values()) == ["interrupted"]


@pytest.mark.slow
def test_several_misfits_of_a_job_are_one_line(tmp_path: Path) -> None:
    code, _, err = nasctl(["search", "-m", *SMOKE, "strategy=darts", "+strategy.speed=1", "+dataset.speed=1"], tmp_path)
    assert code == 1
    (line,) = [line for line in err.splitlines() if "a job of the sweep failed" in line]
    assert "strategy" in line and "; dataset" in line and "\\n" not in line
