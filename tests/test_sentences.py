"""What the machine refuses is a sentence and code 2: files, space, memory, depth, encoding."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch

from nasctl.cli import job
from nasctl.cli import main as cli
from nasctl.config import settings
from nasctl.core import Candidate
from nasctl.errors import RunError, TrialError
from nasctl.out_of_memory import of_one_candidate
from nasctl.system_errors import REMEDIES, in_words
from tests.small import Problem

SMOKE = ["search", "+experiment=random_search_digits", "+debug=smoke"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must be refused; return what it says."""
    capsys.readouterr()
    assert cli.run(arguments) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err and err.startswith("nasctl: ") and err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("paths.outputs=file", "not a directory"),
        ("run_dir=file", "file exists"),
        ("run_dir=file/below", "not a directory"),
        ("run_dir=loop/below", "too many levels of symbolic links"),
        (f"run_dir={'a' * 300}", "file name too long; shorten it"),
        ("run_dir=/proc/nothing", "no such file or directory"),
        ("run_dir=/dev/null/x", "not a directory"),
    ],
)
def test_a_place_that_is_none(place: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file").write_text("mine")
    (folder / "loop").symlink_to("loop")
    assert said in one_sentence([*SMOKE, place], capsys)
    assert (folder / "file").read_text() == "mine"


STEPS = {"mkdir": (Path, "mkdir"), "begin": (job, "begin"), "replace": (os, "replace")}


@pytest.mark.parametrize(
    ("step", "number"),
    [*(("mkdir", number) for number in sorted(REMEDIES)), ("begin", errno.EIO), ("replace", errno.EROFS)],
)
def test_what_the_system_refuses(
    step: str, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*words: object, **settings: object) -> None:
        raise OSError(number, os.strerror(number), "outputs/place")

    monkeypatch.setattr(*STEPS[step], refuse)
    assert os.strerror(number).lower() in one_sentence(SMOKE, capsys).lower()


def test_a_sweep_into_a_place_that_is_none_goes_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file").write_text("mine")
    assert cli.run([*SMOKE, "-m", "run_dir=file,free"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" not in err and "file exists" in err
    assert (folder / "free" / "result.json").exists()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 1 GiB"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory: you tried to allocate"
        ),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes. Error code 12"),
        RuntimeError("CUDA error: out of memory"),
        MemoryError(),
        MemoryError("Unable to allocate 8 TiB for an array with shape (1, 2) and data type float64"),
    ],
)
def test_memory_that_runs_out(error: Exception) -> None:
    said = in_words(error)
    assert isinstance(said, RunError) and "lower the batch size" in str(said)
    with pytest.raises(TrialError, match="out of memory"), of_one_candidate():
        raise error


def test_other_errors_stay_what_they_are() -> None:
    for error in (RuntimeError("shapes do not match"), KeyError("x"), ValueError("y"), OSError("no number")):
        assert in_words(error) is error
        with pytest.raises(type(error)), of_one_candidate():
            raise error


@pytest.mark.parametrize("place", ["fit", "build"])
def test_a_candidate_that_is_too_large_is_a_failed_trial(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(estimator="from_scratch")
    estimator = problem.estimator()

    def too_large(*words: object, **settings: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 byte")

    with monkeypatch.context() as patched:
        patched.setattr(
            *{"fit": (estimator.course.trainer, "fit"), "build": (estimator.space, "build")}[place], too_large
        )
        with pytest.raises(TrialError, match="out of memory"):
            estimator.evaluate(Candidate(problem.arch(0)), 0)
    assert estimator.evaluate(Candidate(problem.arch(1)), 1).metrics["error"] >= 0


@pytest.mark.slow
def test_real_memory_runs_out_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    huge = ["space.search={channels: 100000000, layers: 3}", "space.final={channels: 100000000, layers: 3}"]
    said = one_sentence(["retrain", "from=DARTS_V2", "space=darts", "dataset=digits", "threads=1", *huge], capsys)
    assert "out of memory" in said


@pytest.mark.parametrize("threads", [0, -1, 100_000, 10**9, "many"])
def test_threads_are_bounded(threads: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"threads={threads!r}" in one_sentence([*SMOKE, f"threads={threads}"], capsys)


@pytest.mark.parametrize(
    "setting",
    [
        *("strategy=1", "space=null", "dataset=5", "trainer=[darts,plain]", "space={a: 1}", "estimator=1.5"),
        *("reward=true", "constraint=", "+experiment=3", "+experiment=[darts_digits,1]", "hydra=3", "+debug=null"),
    ],
)
def test_groups_want_names(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = one_sentence(
        ["search", "space=darts", "strategy=darts", "dataset=digits", "budget.epochs=1", setting], capsys
    )
    assert setting in said or "hydra" in setting


@pytest.mark.parametrize(
    "setting",
    [
        "estimator.size=" + "[" * 5000 + "]" * 5000,
        "estimator.size=" + "{a:" * 5000 + "1" + "}" * 5000,
        "[" * 5000,
        "from=" + "[" * 5000,
        "label=" + "(" * 5000 + ")" * 5000,
        "curve=[" + ",".join("1" for _ in range(300)) + ",x]",
    ],
)
def test_deep_and_long_settings(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(one_sentence(["search", setting, "+experiment=darts_digits", "device=none"], capsys)) < 200_000


@pytest.mark.parametrize("setting", ["~label", "~paths", "~space", "label=\udcff", "=", "", "seed", "a b", "seed=0,1"])
def test_what_is_no_setting(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    one_sentence(["search", "+experiment=darts_digits", setting], capsys)


def test_a_choice_that_is_none_ends_a_sweep_before_it_begins(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = one_sentence([*SMOKE, "-m", "strategy=random_search,radnom_search"], capsys)
    assert "strategy: unknown 'radnom_search'; did you mean 'random_search'?" in said
    assert not (folder / "outputs").exists()


def test_most_threads_are_many_a_processor() -> None:
    assert 4 * (os.cpu_count() or 1) <= settings.MOST_THREADS
    assert errno.ENOSPC in REMEDIES
