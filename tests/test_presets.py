"""debug=smoke makes each choice small by the file of its name; what the command line says keeps its value."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nasctl.cli import main as cli
from nasctl.config import presets

CONF = Path(__file__).resolve().parents[1] / "conf"
SMOKE = CONF / "debug" / "_smoke"


def shown(capsys: pytest.CaptureFixture[str], *settings: str) -> dict:
    assert cli.run(["search", *settings, "--cfg", "job"]) == 0
    return yaml.safe_load(capsys.readouterr().out)


def test_each_choice_is_made_small_and_what_is_typed_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["space.search.channels=5", "estimator.size={channels: 7}"]
    config = shown(capsys, "+experiment=random_search_cifar10", "+debug=smoke", *typed)
    assert config["space"]["search"]["channels"] == 5 and config["space"]["final"]["channels"] == 2
    assert config["estimator"]["size"] == {"channels": 7, "layers": 3} and config["estimator"]["epochs"] == 1
    assert config["dataset"]["limit_train"] == 64 and config["trainer"]["epochs"] == 1


def test_other_choices_are_made_small_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    config = shown(capsys, "+debug=smoke", "+experiment=tabnas_criteo", "dataset=breast_cancer")
    assert config["space"]["widths"] == [4, 8] and config["constraint"]["limit"] == 500
    assert "limit_val" not in config["dataset"] and config["dataset"]["limit_train"] == 64


def test_a_choice_without_a_file_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    config = shown(capsys, "+debug=smoke", "space=toy", "strategy=random_search", "estimator=toy", "dataset=none")
    assert config["space"] == yaml.safe_load((CONF / "space" / "toy.yaml").read_text())
    assert config["budget"]["turns"] == 20


def test_own_folders_make_own_choices_small(tmp_path: Path) -> None:
    file = tmp_path / "debug" / "_smoke" / "space" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("space: {layers: 1}\n")
    assert presets.files({"debug": "smoke", "space": "mine", "dataset": None}, [CONF, tmp_path]) == [file]


@pytest.mark.parametrize("path", sorted(SMOKE.rglob("*.yaml")), ids=lambda path: path.stem)
def test_each_file_is_of_choices_that_exist(path: Path) -> None:
    group, choices = path.parent.name, {file.stem for file in CONF.glob("*/*.yaml")}
    pairs = {f"{one}_{other}" for one in choices for other in choices}
    assert path.stem in (pairs if group == presets.PAIRS else {file.stem for file in (CONF / group).glob("*.yaml")})
    assert path.read_text().startswith("# @package _global_\n# ")
