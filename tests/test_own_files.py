"""Modules and YAMLs of the user's own: found beside each other, and each fault of one is one sentence."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.config import own_files

SEARCH = """
from nasctl.strategy.random_search import RandomSearch


class Mine(RandomSearch):
    pass
"""
LACKING = "class Mine:\n    relaxed = False\n    def __init__(self, space, feasible, seed): ..."
SPACE = """
from nasctl.core import Decision
from nasctl.space.nasbench201 import Form, NasBench201


class Endless:
    def __init__(self, task):
        self.inner = NasBench201(task, search=Form(channels=2, cells=1, affine=True), final=None)
        for name in dir(self.inner):
            if name[0] != "_" and name not in ("decision", "complete"):
                setattr(self, name, getattr(self.inner, name))

    def decision(self, prefix):
        return Decision("next", "next", OPTIONS)

    def complete(self, prefix):
        return False
"""
COMMAND = ["search", "--config-dir", "my conf", "strategy=mine", "space=darts", "dataset=digits", "+debug=smoke"]
COMMAND += ["estimator=from_scratch", "budget.trials=1", "run_dir=run"]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of the user's own whose module `mine` the test writes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(own_files, "_FOLDERS", [])
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    for group in ("strategy", "space"):
        (tmp_path / "my conf" / group).mkdir(parents=True)
    (tmp_path / "my conf/strategy/mine.yaml").write_text("# mine\n_target_: mine.Mine\n")
    return tmp_path / "my conf"


@pytest.mark.parametrize("place", ["my conf", "my conf/strategy", "."])
def test_a_module_lies_in_the_folder_beside_the_yaml_or_here(own: Path, place: str) -> None:
    Path(place, "mine.py").write_text(SEARCH)
    assert cli.run(COMMAND) == 0
    assert json.loads(Path("run/result.json").read_text())["verb"] == "search"
    assert (
        str(Path.cwd()) not in sys.path
    )  # else a stranger's folder could stand in for a package that is not installed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no module mine; put mine.py into "),
        (
            "import nowhere_at_all",
            "mine.py, line 1: No module named 'nowhere_at_all'; install it",
        ),
        ("from nasctl.core import Nothing", "mine.py, line 1: raises ImportError: cannot import name 'Nothing'"),
        ("class Mine(:\n    pass", "mine.py, line 1: invalid syntax; correct it there"),
        ("x = 1 / 0", "mine.py, line 1: raises ZeroDivisionError: division by zero when it is imported"),
        ("class Mime:\n    pass", "mine.py: unknown 'Mine'; did you mean 'Mime'? choose from Mime"),
        (
            "class Mine:\n    relaxed = False\n    def __init__(self, space, feasible, seed): ...",
            "strategy: mine.Mine lacks ",
        ),
    ],
)
def test_a_fault_of_a_module_is_one_sentence(
    own: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (own / "mine.py").write_text(text)
    assert cli.run(COMMAND) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"nasctl: {own / 'strategy/mine.yaml'}: ") and err.count("\n") == 1, err
    assert said in err and not Path("run").exists()


@pytest.mark.parametrize(
    ("options", "said"), [("(1, 2)", "goes on after 10000 decisions"), ("()", "has no option open in decision 'next'")]
)
def test_a_walk_without_an_end_or_an_option_is_refused(
    own: Path, options: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (own / "space/endless.yaml").write_text("# mine\n_target_: endless.Endless\n")
    (own / "endless.py").write_text(SPACE.replace("OPTIONS", options))
    sys.modules.pop("endless", None)
    command = ["search", "--config-dir", "my conf", "space=endless", "dataset=digits", "strategy=random_search"]
    assert cli.run([*command, "estimator=from_scratch", "budget.trials=1", "run_dir=run"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"nasctl: {own / 'space/endless.yaml'}: space: the walk that begins with [") and said in err
    assert not Path("run").exists()


def test_nothing_of_a_run_is_imported(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own / "mine.py").write_text(SEARCH)
    assert cli.run(COMMAND) == 0
    Path("run/evil.py").write_text("raise SystemExit(9)")
    (config,) = Path("run").glob("config.yaml")
    config.write_text(config.read_text().replace("mine.Mine", "evil.Mine"))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next: nasctl ")]
    words = shlex.split(line.removeprefix("next: nasctl "))
    assert words[:3] == ["retrain", "--config-dir", "my conf"]
    assert cli.run(words) == 2 and "evil" not in sys.modules
