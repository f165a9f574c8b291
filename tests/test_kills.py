"""Two hundred kill -9 at random moments, with the default interval between checkpoints and a clock that runs fast.

Each run is a fork of this process, which has imported everything and started no thread, so that a kill costs about as
long as the run lives. A chain of killed and resumed runs ends like one that nobody interrupted, bit for bit.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from nasctl import cli
from nasctl.runs import PREVIOUS, directory
from tests.test_resume import RUNS, assert_identical

KILLS = 29  # of each run, 203 of the seven
AFTER_A_SECOND_CHECKPOINT = 6  # of them at least, 42 of the seven
CHAIN = 6  # kills of one run at most
FASTER = 600  # times: checkpoint.seconds=60 is a tenth of a second
TOY = ["search", "+experiment=tabnas_toy", "strategy.batched=false", "repeats=10", "budget.turns=40", "curve=[1,10]"]
SHORTER = {  # a second or two: each kill costs half of it
    "darts": ["budget.epochs=1"],
    "enas": ["budget.trials=12"],
    "nsas": ["estimator.epochs=1", "estimator.warmup_epochs=1", "budget.trials=3"],
    "evolution": ["budget.trials=4", "strategy.population_size=2"],
    "retrain": ["trainer.epochs=3"],
    "language": ["trainer.epochs=5"],
    "replicas": [],
}


def shortened(name: str) -> list[str]:
    """Return the arguments of a run, with the default interval between checkpoints."""
    arguments = TOY if name == "replicas" else RUNS[name]
    given = {override.split("=")[0] for override in SHORTER[name]}
    return [a for a in arguments if a.split("=")[0] not in {*given, "checkpoint.seconds"}] + SHORTER[name]


class FastClock:
    """Stands for the module `time` in the code that decides when to write a checkpoint."""

    @staticmethod
    def monotonic() -> float:
        return FASTER * time.monotonic()


def command(name: str, folder: Path) -> list[str]:
    return [*shortened(name), f"run_dir={folder / name}", f"paths.data={folder.parent / 'data'}"]


def start(name: str, folder: Path) -> int:
    """Start or resume the run ``name`` in a fork of this process, and return its process id."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(os.open(folder / f"{name}.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        directory.time = FastClock  # type: ignore[assignment]
        code = cli.run(command(name, folder))
    finally:
        os._exit(code)


def ended(process: int, seconds: float) -> int | None:
    """Return the exit code of a process that ends within so many seconds; else None."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitpid(process, os.WNOHANG)[0]:
            return 0
        time.sleep(0.002)
    return None


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def finish(name: str, folder: Path) -> None:
    _, status = os.waitpid(start(name, folder), 0)
    assert status == 0, (folder / f"{name}.err").read_text()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", list(SHORTER))
def test_a_run_killed_at_any_moment_ends_as_if_undisturbed(name: str, tmp_path: Path) -> None:
    whole, broken, draw = tmp_path / "whole", tmp_path / "broken", random.Random(name)
    whole.mkdir()
    assert cli.run(command(name, whole)) == 0  # here, so that forks find all modules imported
    began = time.monotonic()
    shutil.rmtree(whole / name)
    finish(name, whole)
    seconds = time.monotonic() - began
    kills = late = 0
    while kills < KILLS:
        broken.mkdir()
        for _ in range(draw.randint(1, CHAIN)):
            process = start(name, broken)
            if ended(process, draw.uniform(0, 0.9 * seconds)) is not None:
                break
            kill(process)
            kills += 1
            late += (broken / name / PREVIOUS).exists()
        finish(name, broken)
        assert_identical(whole / name, broken / name)
        shutil.rmtree(broken)
    print(f"{name}: {kills} kills, {late} after a second checkpoint, {seconds:.1f} s a run")
    assert late >= AFTER_A_SECOND_CHECKPOINT
