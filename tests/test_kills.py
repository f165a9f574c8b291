"""Over two hundred kill -9 at random moments, with the default interval between checkpoints and a fast clock.

Each run is a fork of this process, which has imported everything and started no thread, so that a kill costs about as
long as the run lives. A chain of killed and resumed runs ends like one that nobody interrupted, bit for bit.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.runs import CHECKPOINT, PREVIOUS, directory, environment
from tests.doors.test_children import SEARCH as CHILDREN
from tests.test_resume import RUNS, assert_identical

KILLS = 29  # of each run, 232 of the eight
AFTER_A_SECOND_CHECKPOINT = 6  # of them at least, 48 of the eight
CHAIN = 10  # kills of one run at most
FASTER = 6000  # times: the default checkpoint.seconds=60 is a hundredth of a second
TOY = ["search", "+experiment=tabnas_toy", "strategy.vectorized=false", "repeats=10", "budget.turns=40", "curve=[1,10]"]
HALVING = [*CHILDREN, "strategy=halving", "budget.trials=7", "estimator.epochs=8", "trainer.batch_size=16"]
OWN = {"replicas": TOY, "halving": HALVING}
SHORTER = {  # a second or two: each kill costs half of it
    "darts": ["budget.epochs=2"],
    "enas": ["budget.trials=12"],
    "nsas": ["estimator.epochs=1", "estimator.schedule.warmup_epochs=1", "budget.trials=3"],
    "evolution": ["budget.trials=4", "strategy.population_size=2"],
    "retrain": ["trainer.epochs=3"],
    "language": ["trainer.epochs=5"],
    "replicas": [],
    "halving": [],
}


def shortened(name: str) -> list[str]:
    """Return the arguments of a run, with the default interval between checkpoints."""
    arguments = OWN.get(name) or RUNS[name]
    given = {override.split("=")[0] for override in SHORTER[name]}
    return [a for a in arguments if a.split("=")[0] not in {*given, "checkpoint.seconds"}] + SHORTER[name]


class FastClock:
    """Stands for the module `time` in the code that decides when to write a checkpoint."""

    @staticmethod
    def monotonic() -> float:
        return FASTER * time.monotonic()


class Job:
    """A run whose command line is composed once; each start or resumption is a fork of this process."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, composed = name, []
        self.verb = shortened(name)[0]
        self.module = import_module(f"nasctl.cli.{self.verb}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.module, self.verb, composed.append)
            assert cli.run([*shortened(name), f"paths.data={folder / 'data'}"]) == 0
        [self.config] = composed

    def run(self, folder: Path) -> None:
        """Start or resume the run, in this process."""
        getattr(self.module, self.verb)(self.config | {"run_dir": str(folder / self.name)})

    def start(self, folder: Path) -> int:
        """Start or resume the run in a fork, and return its process id."""
        process = os.fork()
        if process:
            return process
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(os.open(folder / "err", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
            directory.time = FastClock  # type: ignore[assignment]
            self.run(folder)
            code = 0
        finally:
            os._exit(code)

    def finish(self, folder: Path) -> None:
        _, status = os.waitpid(self.start(folder), 0)
        assert status == 0, (folder / "err").read_text()


def ended(process: int, wait: Callable[[], bool]) -> bool:
    """Return whether a process ends before ``wait`` says that it has lasted long enough."""
    while not wait():
        if os.waitpid(process, os.WNOHANG)[0]:
            return True
        time.sleep(0.001)
    return False


def moment(path: Path, draw: random.Random, seconds: float) -> Callable[[], bool]:
    """Return what says when to kill: at any moment of the run, or shortly after its second checkpoint from now on."""
    until = time.monotonic() + draw.uniform(0, seconds)
    if draw.random() < 0.5:
        return lambda: time.monotonic() > until
    seen, after = {_written(path)}, draw.uniform(0, 0.1)
    third: list[float] = []

    def late() -> bool:
        seen.add(_written(path))
        if len(seen) > 2 and not third:
            third.append(time.monotonic() + after)
        return bool(third) and time.monotonic() > third[0]

    return late


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", list(SHORTER))
def test_a_run_killed_at_any_moment_ends_as_if_undisturbed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "git", lambda: None)  # three processes a start, of no use here
    whole, broken, draw, job = tmp_path / "whole", tmp_path / "broken", random.Random(name), Job(name, tmp_path)
    job.run(tmp_path)  # here, so that forks find all modules imported
    whole.mkdir()
    began = time.monotonic()
    job.finish(whole)
    seconds, kills, late = time.monotonic() - began, 0, 0
    while kills < KILLS:
        broken.mkdir()
        for _ in range(draw.randint(1, CHAIN)):
            wait = moment(broken / name / CHECKPOINT, draw, seconds)
            if ended(process := job.start(broken), wait):
                break
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            kills += 1
            late += (broken / name / PREVIOUS).exists()
        job.finish(broken)
        assert_identical(whole / name, broken / name)
        shutil.rmtree(broken)
    print(f"{name}: {kills} kills, {late} after a second checkpoint, {seconds:.1f} s a run")
    assert late >= AFTER_A_SECOND_CHECKPOINT
