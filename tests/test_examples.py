"""Each folder of examples/extend runs by the command that its README prints."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from nasctl.cli import main as cli

ROOT = Path(__file__).resolve().parents[1]
EXTEND = ROOT / "examples" / "extend"
COMMANDS = {
    words[words.index("--config-dir") + 1].rpartition("/")[2]: words
    for words in map(shlex.split, re.findall(r"`(nasctl search [^`]+)`", (EXTEND / "README.md").read_text()))
}


def test_each_folder_has_a_command_a_module_and_a_yaml() -> None:
    assert set(COMMANDS) == {path.name for path in EXTEND.iterdir() if path.is_dir()}
    for folder in (EXTEND / name for name in COMMANDS):
        assert len(list(folder.glob("*.py"))) == 1 and len(list(folder.glob("*/*.yaml"))) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_of_an_example_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    assert cli.run([*COMMANDS[name][1:], "threads=1", "run_dir=run"]) == 0
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["trials"] > 1 and result["error"] is not None
    assert cli.run(["compare", "run"]) == 0
