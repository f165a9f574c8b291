"""The commands of docs/genotypes.md run."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.genotype_source import PUBLISHED

DOCS = Path(__file__).parents[2] / "docs" / "genotypes.md"
COMMANDS = [line.strip() for line in DOCS.read_text().splitlines() if line.startswith("    nasctl ")]
PUBLIC = Path(__file__).parent / "public"
PARAMS = [3_433_798, 3_349_342, 1_550_062, 713_674, 316_346, 9_249]  # 316,346: 73,306 and one 3x3 convolution a cell


@pytest.mark.parametrize(("command", "params"), list(zip(COMMANDS, PARAMS, strict=True)))
def test_a_command_prints_the_count(
    command: str, params: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("genotypes.py").write_text((PUBLIC / "darts.txt").read_text() + "BEST = DARTS\n")
    Path("search_log.txt").write_text((PUBLIC / "rdarts_log.txt").read_text())
    _, *arguments = shlex.split(command, comments=True)
    assert cli.run([*arguments, "format=json"]) == 0
    assert json.loads(capsys.readouterr().out)["params"] == params


def test_the_page_names_what_ships() -> None:
    text = DOCS.read_text()
    assert all(f"`{path.stem}`" in text for path in (PUBLISHED / "darts").glob("*.json"))
