"""What the project prints or documents can be typed: every command is composed, and its settings fit."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from nasctl.cli import correlate, inspect, retrain, search, select
from nasctl.cli import main as cli
from nasctl.config import build
from nasctl.config import compose as config
from nasctl.report import command, listing
from nasctl.report.declaration import Content
from tests.documented import commands

GROUPS = {
    "search": (*search.GROUPS, "resource"),
    "select": select.GROUPS,
    "correlate": correlate.GROUPS,
    "retrain": retrain.GROUPS,
    "inspect": ("space", "dataset"),
}
VERBS = {"search": search, "select": select, "correlate": correlate, "retrain": retrain, "inspect": inspect}
DRAWN = Content(grids=(), rows=(), draw=lambda file, kind: None)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("documented") / "run"
    assert cli.run(["search", "+experiment=darts_digits", "+debug=smoke", f"run_dir={path}"]) == 0
    return path


@pytest.fixture(autouse=True)
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have verbs check what they are given in place of doing it; return the list of those called."""
    monkeypatch.chdir(tmp_path)
    called: list[str] = []

    def check(verb: str, composed: dict) -> None:
        called.append(verb)
        if composed["choices"]["space"] and composed["choices"]["dataset"]:
            build.validate(composed, GROUPS[verb])

    expanded = config._expanded
    monkeypatch.setattr(config, "_expanded", lambda settings: expanded(settings)[::83])  # the first job, and few others
    for verb in GROUPS:
        monkeypatch.setattr(VERBS[verb], verb, lambda composed, verb=verb: check(verb, composed))
    monkeypatch.setattr(listing, "list_runs", lambda paths: called.append("list_runs") or "")
    monkeypatch.setattr(command, "_content", lambda *_: called.append("compare") or DRAWN)
    return called


def test_there_are_many_commands() -> None:
    """The collection itself must not come to nothing."""
    found = commands()
    assert len(found) > 100 and {shlex.split(command)[0] for command in found} == set(cli.VERBS)


@pytest.mark.parametrize("command", commands())
def test_a_documented_command_is_composed(
    command: str, run: Path, done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(run) if word == "RUN" else word.replace("=RUN", f"={run}") for word in shlex.split(command)]
    words = [word.replace(",RUN", f",{run}") for word in words]
    assert cli.run(words) == 0, capsys.readouterr().err
    assert done or {"--cfg", "--help"} & set(words) or words[0] == "ls"


def test_the_command_that_a_search_prints_is_taken(run: Path, done: list[str], capsys: pytest.CaptureFixture) -> None:
    from nasctl.cli.outcome import show
    from nasctl.runs import Run

    show(Run(run, {}, phase="search", checkpoint_seconds=1))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next: nasctl ")]
    assert cli.run(shlex.split(line.removeprefix("next: nasctl "))) == 0
    assert done == ["retrain"]
