"""A run directory from a stranger: no traceback, no code run, nothing touched outside outputs, no control characters"""

from __future__ import annotations

import hashlib
import shutil
import sys
import unicodedata
from pathlib import Path

import pytest

import nasctl
from nasctl import cli
from nasctl.core import RequestError, RunError
from tests import hostile
from tests.tables import nasbench201, write_benchmark
from tests.test_correlate import SEARCH, SHARED, TABLE

SHORT = ["trainer.epochs=1", "selection.epochs=1"]
RANDOM = ["strategy=random_search", "estimator=from_scratch", "estimator.epochs=1"]
HOSTILE, CHUNK = 500, 25
SAMPLE = 32  # two of each attack


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a search, a retrain of what it found, and a table."""
    folder = tmp_path_factory.mktemp("bases")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_benchmark(folder / "nb201_table.csv.gz", nasbench201())
        assert cli.run([*SEARCH, *SHARED, *SHORT, "run_dir=search"]) == 0
        assert cli.run(["retrain", "from=search", "run_dir=final"]) == 0
    return folder


@pytest.fixture
def here(bases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with data, a victim's files beside it, and a secret in the environment."""
    folder = tmp_path / "here"
    (folder / "outputs").mkdir(parents=True)
    shutil.copy(bases / "nb201_table.csv.gz", folder)
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "precious.txt").write_text("precious")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NASCTL_SECRET", hostile.SECRET)
    monkeypatch.setenv("NASCTL_DATA", str(folder))
    monkeypatch.syspath_prepend(str(folder))  # as python -m nasctl does
    return folder


def state_of(folder: Path, but: Path) -> dict[str, str]:
    """Return a digest of each file below ``folder`` that is not below ``but``."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_relative_to(but)]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def commands(run: str) -> list[list[str]]:
    """Return the commands of all verbs that read a run."""
    return [
        ["ls", "runs", run],
        *(["compare", run, f"format={format}"] for format in ("table", "csv", "json", "markdown", "latex")),
        ["compare", run, "x=params"],
        ["compare", run, "pareto=params"],
        ["inspect", f"from={run}"],
        ["retrain", f"from={run}"],
        ["select", run],
        ["correlate", run, "n=3", *TABLE],
        ["search", *RANDOM, f"budget.like={run}"],
        [*SEARCH, *SHARED, *SHORT, f"run_dir={run}"],
    ]


def program(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    for read in (nasctl.load, nasctl.table):
        try:
            read(run)
        except (RequestError, RunError) as error:
            assert str(error)


def attack(seed: int, bases: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Make a hostile run, have every verb read it, and hold what must hold; then remove it."""
    run = here / "outputs" / f"r{seed}"
    kind = hostile.make(seed, bases, run, here.parent / "victim")
    shutil.copy(run / "evil.py", here)
    before = state_of(here.parent, here / "outputs")
    for command in commands(f"outputs/{run.name}"):
        said = f"seed {seed}, {kind}: nasctl {' '.join(command)}"
        code = cli.run(command)
        out, err = capsys.readouterr()
        assert code in (0, 2), f"{said}: exit code {code}\n{err}"
        assert "Traceback" not in out + err, f"{said}\n{err}"
        assert not hidden(out + err), f"{said}: {hidden(out + err)} in\n{out}{err}"
        assert hostile.SECRET not in out + err, said
    program(str(run), capsys)
    assert state_of(here.parent, here / "outputs") == before, f"seed {seed}, {kind}"
    assert "evil" not in sys.modules
    shutil.rmtree(run)
    for path in (here / "outputs").rglob("*"):
        assert not path.is_file() or hostile.SECRET.encode() not in path.read_bytes(), f"seed {seed}, {kind}: {path}"


def hidden(text: str) -> set[str]:
    """Return the characters of ``text`` that steer a terminal or hide, line ends apart."""
    return {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, HOSTILE, CHUNK))
def test_hostile_runs(first: int, bases: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(first, first + CHUNK):
        attack(seed, bases, here, capsys)
