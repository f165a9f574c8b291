"""Links, pipes and devices that somebody laid into a run directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nasctl.errors import RequestError
from nasctl.files import lock, write_whole
from nasctl.runs import Run
from nasctl.symlinks import open_to_append
from tests.hostile import FILES


def open_run(path: Path) -> Run:
    return Run(path, {"signature": "abc", "overrides": []}, phase="search", checkpoint_seconds=1000)


@pytest.mark.parametrize("name", [*FILES, "whatever"])
@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_written_through_a_link(name: str, there: bool, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    victim = tmp_path / "victim"
    if there:
        victim.write_text("precious")
    (tmp_path / "run" / name).symlink_to(victim)
    with pytest.raises(RequestError, match=f"run/{name}: is a link or no regular file"), open_run(tmp_path / "run"):
        pass
    assert victim.exists() == there and (not there or victim.read_text() == "precious")
    assert [path.name for path in (tmp_path / "run").iterdir()] == [name]


@pytest.mark.parametrize("kind", ["pipe", "folder link"])
def test_other_special_files_are_refused_too(kind: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "log.txt"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to(tmp_path)
    with pytest.raises(RequestError, match="is a link or no regular file"), open_run(tmp_path / "run"):
        pass


def test_the_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    with open_run(tmp_path / "run") as run:
        run.save({"x": 1})
    assert (tmp_path / "disk" / "checkpoint.pt").exists()


@pytest.mark.parametrize("kind", ["link", "pipe", "file"])
def test_a_temporary_file_is_always_a_new_one(kind: str, tmp_path: Path) -> None:
    victim, temporary = tmp_path / "victim", tmp_path / ".status.json.tmp"
    victim.write_text("precious")
    {"link": lambda: temporary.symlink_to(victim), "pipe": lambda: os.mkfifo(temporary), "file": temporary.touch}[
        kind
    ]()
    write_whole(tmp_path / "status.json", lambda file: file.write(b"new"))
    assert (tmp_path / "status.json").read_text() == "new" and victim.read_text() == "precious"
    assert not (tmp_path / "status.json").is_symlink()


def test_a_link_is_neither_locked_nor_appended_to(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "lock").symlink_to(victim)
    with pytest.raises(OSError), lock(tmp_path / "lock"):
        pass
    with pytest.raises(OSError):
        open_to_append(tmp_path / "lock")
    assert victim.read_text() == "precious"
