"""A space of the user's own, from a folder beside the project: search, the command it prints, retrain, compare."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from nasctl.cli import main as cli

MODULE = '''
"""A space without forms: one size for the search and for the final network."""
from nasctl.space.nasbench201 import Form, NasBench201


class Own(NasBench201):
    def __init__(self, task, *, channels: int):
        form = Form(channels=channels, cells=1, affine=True)
        super().__init__(task, search=form, final=form)
'''
SHORT = ["trainer.epochs=1", "dataset.limit_train=64", "dataset.limit_test=32", "threads=1"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my conf" / "space").mkdir(parents=True)
    (tmp_path / "my conf" / "space" / "own.yaml").write_text("# mine\n_target_: own_space_of_a_test.Own\nchannels: 2\n")
    (tmp_path / "own_space_of_a_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_space_without_a_final_form_is_searched_retrained_and_compared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ["space=own", "--config-dir", "my conf"]
    how = [
        "strategy=random_search",
        "estimator=from_scratch",
        "estimator.epochs=1",
        "dataset=digits",
        "budget.trials=1",
    ]
    assert cli.run(["search", *own, *how, *SHORT, "run_dir=found"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next: nasctl ")]
    assert line == "next: nasctl retrain --config-dir 'my conf' from=found"
    assert cli.run(shlex.split(line.removeprefix("next: nasctl "))) == 0, capsys.readouterr().err
    (path,) = (folder / "outputs" / "retrain").glob("*/*")
    result = json.loads((path / "result.json").read_text())
    assert result["error_kind"] == "retrained" and result["recipe"]
    assert cli.run(["compare", "outputs", "found"]) == 0
    assert "own" in capsys.readouterr().out


def test_the_recipe_of_such_a_space_is_of_its_size(folder: Path) -> None:
    arch = ["from=|skip_connect~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|"]
    own = ["--config-dir", "my conf", "space=own", "dataset=digits", *SHORT]
    (folder / "arch.txt").write_text(arch[0].removeprefix("from="))
    for size in (2, 3):
        assert cli.run(["retrain", *own, "from=arch.txt", f"space.channels={size}", f"run_dir=r{size}"]) == 0
    recipes = {json.loads((folder / f"r{size}" / "result.json").read_text())["recipe"] for size in (2, 3)}
    assert len(recipes) == 2
