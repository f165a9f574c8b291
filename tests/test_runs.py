"""The run directory: whole files, checkpoints with a predecessor, one process at a time."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from nasctl.errors import Interrupted, RequestError, RunError
from nasctl.files import write_whole
from nasctl.runs import CHECKPOINT, PREVIOUS, Run
from tests.lines import read_lines

CONFIG = {"signature": "abc", "overrides": ["seed=0"], "strategy": {"lr": 0.1}}


def open_run(path: Path, seconds: float = 1000, **changes: object) -> Run:
    return Run(path / "run", {**CONFIG, **changes}, phase="search", checkpoint_seconds=seconds)


def status(path: Path) -> dict:
    """Return what status.json says, apart from the hashes of the other files."""
    found = json.loads((path / "run" / "status.json").read_text())
    assert (found.pop("files", None) is None) == (found["status"] == "running")
    return found


@contextmanager
def small_disk(limit: int) -> Iterator[None]:
    """Let no file grow beyond ``limit`` bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_status_follows_the_run(tmp_path: Path) -> None:
    with open_run(tmp_path):
        assert status(tmp_path) == {"status": "running", "reason": None}
    assert status(tmp_path) == {"status": "finished", "reason": None}
    with pytest.raises(RunError), open_run(tmp_path):
        raise RunError("lost")
    assert status(tmp_path) == {"status": "failed", "reason": "lost"}
    assert "RunError: lost" in (tmp_path / "run" / "log.txt").read_text()


def test_checkpoint_and_lines_come_back(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        assert run.state is None
        run.append("trials.jsonl", {"index": 0})
        run.save({"x": torch.arange(3)})
        run.append("trials.jsonl", {"index": 1})  # after the checkpoint: done again
    with open_run(tmp_path) as run:
        assert torch.equal(run.state["x"], torch.arange(3))  # type: ignore[index]
        assert read_lines(tmp_path / "run" / "trials.jsonl") == [{"index": 0}]
        run.append("trials.jsonl", {"index": "1 again"})
        run.save({"x": torch.zeros(1)})
    assert read_lines(tmp_path / "run" / "trials.jsonl") == [{"index": 0}, {"index": "1 again"}]


def test_without_a_checkpoint_a_run_starts_over(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        run.append("trials.jsonl", {"index": 0})
    with open_run(tmp_path) as run:
        assert run.state is None and read_lines(tmp_path / "run" / "trials.jsonl") == []


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a checkpoint", None])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    damage: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_run(tmp_path) as run:
        for index in range(2):
            run.append("trials.jsonl", {"index": index})
            run.save({"index": index})
    checkpoint = tmp_path / "run" / CHECKPOINT
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100] if damage is None else damage)
    with open_run(tmp_path) as run:
        assert run.state == {"index": 0}
        assert read_lines(tmp_path / "run" / "trials.jsonl") == [{"index": 0}]
    assert "cannot be read" in (tmp_path / "run" / "log.txt").read_text()
    assert "trying the previous one" in capsys.readouterr().err
    (tmp_path / "run" / PREVIOUS).write_bytes(b"gone too")
    checkpoint.write_bytes(b"")
    with pytest.raises(RequestError, match="no checkpoint can be read; remove the directory"), open_run(tmp_path):
        pass


def test_a_kill_between_the_two_renames_leaves_the_previous_one(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        run.save({"index": 0})
    (tmp_path / "run" / CHECKPOINT).rename(tmp_path / "run" / PREVIOUS)
    with open_run(tmp_path) as run:
        assert run.state == {"index": 0}


def test_checkpoints_are_never_unpickled(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        run.save({"index": 0})
    torch.save({"sizes": {}, "state": Trap(str(tmp_path / "sprung"))}, tmp_path / "run" / CHECKPOINT)
    with pytest.raises(RequestError, match="no checkpoint can be read"), open_run(tmp_path):
        pass
    assert not (tmp_path / "sprung").exists()


class Trap:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (open, (self.path, "w"))


def test_a_full_disk_leaves_the_old_checkpoint_whole(tmp_path: Path) -> None:
    with (
        pytest.raises(RunError, match=r"checkpoint\.pt: cannot be written .*free some disk space"),
        open_run(tmp_path) as run,
    ):
        run.save({"x": torch.zeros(10)})
        with small_disk(20_000):
            run.save({"x": torch.zeros(100_000)})
    assert status(tmp_path)["status"] == "failed"
    assert not [p for p in (tmp_path / "run").iterdir() if p.name.endswith(".tmp")]
    with open_run(tmp_path) as run:
        assert torch.equal(run.state["x"], torch.zeros(10))  # type: ignore[index]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, lambda file: file.write(b"old"))

    def fail(file: object) -> None:
        raise OSError("no space")

    with pytest.raises(RunError, match="no space"):
        write_whole(path, fail)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_two_processes_never_share_a_directory(tmp_path: Path) -> None:
    with (
        open_run(tmp_path),
        pytest.raises(RequestError, match=r"process \d+ is at work on this run"),
        open_run(tmp_path),
    ):
        pass
    with open_run(tmp_path):
        pass


def test_another_configuration_is_refused(tmp_path: Path) -> None:
    with open_run(tmp_path):
        pass
    with pytest.raises(RequestError, match=r"strategy\.lr: 0\.1 there, 0\.2 here"):
        open_run(tmp_path, signature="def", strategy={"lr": 0.2}).check_config()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_stops_at_the_next_tick(number: int, tmp_path: Path) -> None:
    with pytest.raises(Interrupted) as stopped, open_run(tmp_path) as run:
        signal.raise_signal(number)
        run.tick(lambda: {"step": 7}, {})
    assert stopped.value.signal == number
    assert status(tmp_path) == {"status": "interrupted", "reason": f"stopped by signal {number}"}
    with open_run(tmp_path) as run:
        assert run.state == {"step": 7}


def test_a_signal_in_the_middle_of_a_trial_saves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Interrupted), open_run(tmp_path) as run:
        signal.raise_signal(signal.SIGTERM)
        run.pulse({})
    assert not (tmp_path / "run" / CHECKPOINT).exists()


def test_checkpoints_come_by_time(tmp_path: Path) -> None:
    with open_run(tmp_path, seconds=1000) as run:
        run.tick(lambda: {"step": 1}, {})
    assert not (tmp_path / "run" / CHECKPOINT).exists()
    with open_run(tmp_path, seconds=0) as run:
        run.tick(lambda: {"step": 1}, {})
    assert (tmp_path / "run" / CHECKPOINT).exists()


def test_cost_adds_up_over_sessions(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        first = run.cost()
    (tmp_path / "run" / "status.json").write_text('{"status": "running", "reason": null}')
    with (tmp_path / "run" / "costs.jsonl").open("a") as file:
        file.write('{"phase": "search", "sec')  # cut short by a kill
    with open_run(tmp_path) as run:
        assert run.cost() > first > 0
    lines = read_lines(tmp_path / "run" / "costs.jsonl")
    assert {line["phase"] for line in lines} == {"search"}


def test_cpu_seconds_stand_beside_the_seconds_and_add_up(tmp_path: Path) -> None:
    with open_run(tmp_path) as run:
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        child = "import time\nwhile time.process_time() < 0.2: pass"
        subprocess.run([sys.executable, "-c", child], check=True)  # joined: its seconds count
        first = run.cpu_cost()
    assert first is not None and first > 0.25
    with open_run(tmp_path) as run:
        assert run.cpu_cost() >= first  # type: ignore[operator]
    lines = read_lines(tmp_path / "run" / "costs.jsonl")
    assert len(lines) == 2 and sum(line["cpu_seconds"] for line in lines) >= first


def test_cpu_seconds_are_unknown_where_an_older_version_did_a_part(tmp_path: Path) -> None:
    with open_run(tmp_path):
        pass
    (tmp_path / "run" / "status.json").write_text('{"status": "running", "reason": null}')
    (tmp_path / "run" / "costs.jsonl").write_text('{"phase": "search", "seconds": 2.0}\n')
    with open_run(tmp_path) as run:
        assert run.cost() > 2 and run.cpu_cost() is None


def test_files_and_folders_are_synced_before_a_rename_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a power loss keeps is what was synced: content before its name, lines before what counts on them."""
    calls: list[str] = []
    sync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        calls.append(f"sync {path.relative_to(tmp_path)}")
        sync(descriptor)

    def replaced(a: Path, b: Path) -> None:
        calls.append(f"rename {Path(b).relative_to(tmp_path)}")
        replace(a, b)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    with open_run(tmp_path) as run:
        assert calls[0] == "sync ."  # the name of the new folder
        calls.clear()
        for index in range(2):
            run.append("trials.jsonl", {"index": index})
            run.save({"index": index})
    checkpoint = ["sync run/.checkpoint.pt.tmp", "rename run/checkpoint.pt", "sync run"]
    lines = ["sync run/trials.jsonl", "sync run"]
    again = [checkpoint[0], "rename run/checkpoint.previous.pt", *checkpoint[1:]]
    status = ["sync run/.status.json.tmp", "rename run/status.json", "sync run"]
    assert calls == [*lines, *checkpoint, *lines, *again, lines[0], "sync run/costs.jsonl", "sync run", *status]


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    with open_run(tmp_path, seed=0):
        pass
    with pytest.raises(RequestError, match="seed: 0 there, 1 here"):
        open_run(tmp_path, seed=1).check_config()


def test_a_full_disk_anywhere_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written"), open_run(tmp_path) as run, small_disk(100):
        for index in range(100):
            run.append("trials.jsonl", {"index": index})
    with open_run(tmp_path):  # lock and handlers were given back
        pass


def test_a_signal_after_the_last_tick_is_not_swallowed(tmp_path: Path) -> None:
    with pytest.raises(Interrupted), open_run(tmp_path):
        signal.raise_signal(signal.SIGTERM)
    assert status(tmp_path)["status"] == "interrupted"
