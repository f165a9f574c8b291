"""Wrong command lines: one sentence and code 2, or success; no traceback, and nothing touched outside outputs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from tests.mutated import mutated

FEW, MANY = 25, 500


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mutated") / "run"
    assert cli.run(["search", "+experiment=random_search_digits", "+debug=smoke", f"run_dir={path}"]) == 0
    return path


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[] if seed < FEW else pytest.mark.slow) for seed in range(MANY)]
)
def test_a_wrong_command_line(
    seed: int, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    shutil.copytree(run, here / "run")
    monkeypatch.chdir(here)
    before = {path: path.read_bytes() for path in (here / "run").rglob("*") if path.is_file()}
    words = mutated(seed, "run")
    _without_work(monkeypatch)
    code = cli.run(words)
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err, words
    assert code in (0, 2) or (code == 1 and "a job of the sweep failed" in err), (words, err)
    assert code == 0 or "nasctl" in err
    assert {path.name for path in tmp_path.iterdir()} == {"here"}
    assert {path.name for path in here.iterdir()} <= {"run", "outputs"}, words
    assert {path: path.read_bytes() for path in (here / "run").rglob("*") if path.is_file()} == before


def _without_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have jobs end where they would begin to train: everything is read, checked and built by then."""
    from nasctl.cli import job

    monkeypatch.setattr(job, "begin", _enough)


def _enough(*words: object) -> None:
    from nasctl.errors import RunError

    raise RunError("the test ends here")
