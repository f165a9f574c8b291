"""The checkpoint of an interrupted run that holds another training: one sentence, exit code 2, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nasctl.cli import main as cli
from nasctl.errors import Interrupted
from nasctl.runs import Run

RETRAINS = {
    "classifier": ["from=random", "space=nasbench201", "space.final={channels: 2, cells: 1}", "dataset=digits"],
    "language": ["from=LSTM", "space=lstm", "dataset=python_docs", "trainer=language_model", "+debug=smoke"],
}
LIMITS = ["dataset.limit_train=128", "dataset.limit_test=64", "trainer.batch_size=32", "trainer.epochs=2", "threads=1"]
SETTINGS = {"classifier": [*RETRAINS["classifier"], *LIMITS], "language": RETRAINS["language"]}

Change = Callable[[Any], Any]


CHANGES: dict[str, Change] = {
    "empty": lambda state: {},
    "another network": lambda state: {**state, "model": {name: torch.zeros(2) for name in state["model"]}},
    "momenta of another shape": lambda state: {
        **state,
        "optimizer": {**state["optimizer"], "state": {0: {"momentum_buffer": torch.zeros(9, 9)}}},
    },
}


def interrupt(command: list[str], moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop a command after step ``moment``, in the middle of an epoch, with a checkpoint."""
    ticks, tick = list[int](), Run.tick

    def stopping(run: Run, state: Any, values: Any) -> None:
        tick(run, state, values)
        ticks.append(1)
        if len(ticks) == moment:
            raise Interrupted(15)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "tick", stopping)
        assert cli.run([*command, "checkpoint.seconds=0"]) == 128 + 15


@pytest.mark.slow
@pytest.mark.parametrize("trainer", SETTINGS)
def test_another_state_is_one_sentence(
    trainer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["retrain", *SETTINGS[trainer], "run_dir=run"]
    interrupt(command, 2, monkeypatch)
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    whole = torch.load(checkpoint, weights_only=True)
    for change in CHANGES.values():
        torch.save({**whole, "state": change(whole["state"])}, checkpoint)
        before = checkpoint.read_bytes()
        capsys.readouterr()
        assert cli.run(command) == 2
        assert_one_sentence(capsys.readouterr().err)
        assert checkpoint.read_bytes() == before
        status = json.loads((tmp_path / "run" / "status.json").read_text())
        assert status["status"] == "failed" and "holds no state of such a run" in status["reason"]
    torch.save(whole, checkpoint)
    assert cli.run([*command, "resume=must"]) == 0  # nothing was lost


def assert_one_sentence(said: str) -> None:
    (line,) = said.strip().splitlines()
    assert line.startswith("nasctl: run/checkpoint.pt: holds no state of such a run (")
    assert line.endswith("restore it from a copy, or remove run and give the run's command again")
