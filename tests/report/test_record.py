"""Reading run directories: found anywhere below a path, and never taken for finished when they are not."""

import fcntl
import json
import os

import pytest
from fabricate import retrain, run, search

from nasctl.errors import RequestError
from nasctl.report._read.record import find, read
from nasctl.report.command import compare


def test_runs_are_found_below_folders_and_by_their_own_path(root):
    one, two = search(root, seed=0), retrain(root)
    assert {found.path for found in find([root])} == {one, two}
    assert [found.path for found in find([one])] == [one]


def test_the_default_is_outputs(root, monkeypatch):
    search(root)
    monkeypatch.chdir(root.parent)
    assert compare([]) == compare(["outputs"])


@pytest.mark.parametrize(("name", "words"), [("nowhere", "no such folder"), ("", "holds no run")])
def test_a_path_without_runs_is_refused(root, name, words):
    search(root.parent / "other")
    with pytest.raises(RequestError, match=words):
        compare([str(root.parent / "other"), str(root / name)])


def test_a_running_status_without_a_lock_is_a_killed_run(root):
    folder = run(root, "x", status={"status": "running", "reason": None})
    assert read(folder).status == "killed"
    (folder / "lock").touch()
    assert read(folder).status == "killed"


def test_a_held_lock_is_a_running_run(root):
    folder = run(root, "x", status={"status": "running", "reason": None})
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert read(folder).status == "running"
    assert read(folder).status == "killed"


@pytest.mark.parametrize("make", ["mkdir", "mkfifo"])
def test_what_stands_in_place_of_a_lock_is_not_waited_for(root, make):
    folder = run(root, "x", status={"status": "running", "reason": None})
    getattr(os, make)(folder / "lock")
    assert read(folder).status == "killed"


def test_looking_leaves_the_lock_free(root):
    folder = run(root, "x", status={"status": "running", "reason": None})
    with (folder / "lock").open("w") as lock:
        assert read(folder).status == "killed"
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("status.json", "{"),
        ("status.json", "[]"),
        ("config.yaml", "a: [1"),
        ("config.yaml", "!!python/object/apply:os.getcwd []"),
        ("overrides.yaml", "a: 1"),
        ("result.json", "{}"),
        ("result.json", '{"verb": "search", "signature": "a"'),
    ],
)
def test_an_unreadable_run_is_damaged_and_the_others_are_shown(root, compared, file, content):
    folder = search(root, seed=1)
    retrain(root)
    (folder / file).write_text(content)
    found = compared()
    assert [row["method"] for row in found["methods"]] == ["darts"]
    assert [(left["path"], left["status"]) for left in found["left_out"]] == [(str(folder), "damaged")]


def test_a_finished_run_without_a_result_is_damaged(root):
    folder = search(root)
    (folder / "result.json").unlink()
    assert read(folder).status == "damaged"


def test_a_retraining_without_its_source_is_damaged(root):
    folder = retrain(root)
    result = json.loads((folder / "result.json").read_text())
    del result["source"]
    (folder / "result.json").write_text(json.dumps(result))
    assert read(folder).status == "damaged"
    assert read(folder).reason == (
        f"result.json: lacks source; restore it from a copy, or remove {folder} and give the run's command again"
    )


@pytest.mark.parametrize("status", ["failed", "interrupted", "running"])
def test_unfinished_runs_are_noted_with_path_and_reason(root, status):
    search(root)
    folder = run(root, "bad", status={"status": status, "reason": "loss is NaN"})
    shown = "killed" if status == "running" else status
    note = f"Not in the table, since not finished: 1 run: {folder} ({shown}: loss is NaN)."
    assert note in compare([str(root)], width=1000)


def test_only_unfinished_runs_make_an_empty_table(root):
    run(root, "bad", status={"status": "failed", "reason": None})
    assert compare([str(root)]).startswith("Measured here: no finished run\n")
