"""Reading run directories: limits of the parsers, the schema, and the hashes in status.json."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import torch

from nasctl.errors import RequestError
from nasctl.report.command import compare
from nasctl.report.listing import list_runs
from nasctl.runs import CHECKPOINT, PREVIOUS, Run, plain, tensors
from nasctl.runs.plain import FaultError
from nasctl.runs.reader import DamagedError, RunFiles, finished
from tests.lines import read_lines

CONFIG = {
    **{"verb": "search", "signature": "abc", "seed": 0, "overrides": ["seed=0"], "label": None, "threads": 1},
    "choices": {"space": "toy", "strategy": "random_search", "dataset": "none", "estimator": "toy"},
    **{"paths": {"data": "data", "outputs": "outputs"}, "space": {"nodes": 2}, "dataset": {"limit": 3}},
}
RESULT = {
    **{"verb": "search", "signature": "abc", "seed": 0, "error": 11.25, "error_kind": "proxy", "params": 961},
    **{"macs": 880, "ops": 3, "space_size": 9, "metrics": {"error": 11.25}, "feasible": None, "margin": None},
    "cost": {"search": 3.5, "selection": 0.0, "retrain": 0.0},
    "device": {"type": "cpu", "name": "Xeon", "count": 1},
}
TRIALS = [
    {"index": i, "arch": [i], "relaxed": False, "reward": 0.5, "metrics": {"error": 10.0 + i}, "error": None}
    for i in range(3)
]


def write(folder: Path, **changes: object) -> Path:
    """Make a finished run with every kind of file."""
    with Run(folder, CONFIG, phase="search", checkpoint_seconds=1000) as run:
        run.write("environment.json", {"git": None, "threads": 1, "data": {"x": "1"}, "device": RESULT["device"]})
        run.write("decisions.json", {"layer1": ["8", "64", "128"]})
        for line in TRIALS:
            run.append("trials.jsonl", line)
        run.save({"x": torch.arange(1000.0)})
        run.save({"x": torch.arange(1000.0) + 1})
        run.save_weights("weights.pt", {"weight": torch.ones(100)})
        run.write("architecture.json", {"family": "toy", "genotype": {"k": 1}, "notation": "1", "arch": [1]})
        run.write("result.json", RESULT | changes)
    return folder


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not JSON"),
        (b"[" * 5000 + b"]" * 5000, "nested deeper than 50 levels"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "nested deeper than 50 levels"),
        (b'{"a": ' + b"9" * 5000 + b"}", "holds a number of 5,000 digits, at most 4000 are read"),
        (b'{"a": 1e999}', "holds the number '1e999', which is too large"),
        (b'{"a": 1, "b": 2, "a": 3}', "holds the key 'a' twice"),
        (b'{"a": "\\ud800"}', r"holds '\\ud800', which is no text"),
        (b'{"a": "\xff"}', "not UTF-8 text"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8 text"),
        (b'{"a": 1}\0', "not JSON"),
        (b'{"a": 1', "not JSON"),
        (b'{"a": 1} {"a": 2}', "not JSON"),
    ],
)
def test_json_is_read_within_limits(text: bytes, said: str) -> None:
    with pytest.raises(FaultError, match=said):
        plain.of_json(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &a [1]\nb: *a\n", r"holds the alias \*a, which is not read"),
        ("a: &a [x]\n" + "".join(f"b{i}: [*a, *a]\n" for i in range(9)), "holds the alias"),
        ("&a [*a]", "holds the alias"),
        ("!!python/object/apply:os.getcwd []", "holds the tag"),
        ("a: !!binary aGk=", "holds the tag"),
        ("a: 1\nb: 2\na: 3", "holds the key 'a' twice"),
        ("[" * 60 + "]" * 60, "nested deeper than 50 levels"),
        ("[" * 5000 + "]" * 5000, "nest"),
        ("- " * 5000 + "1", "nested deeper than 50 levels"),
        ("? [a, b]\n: 1", "holds a key that is no text"),
        ("a: 2020-01-01", "neither text nor a number"),
        ("a: 2020-13-45", "not YAML"),
        ("a: 0x_", "not YAML"),
        ("a: " + "9" * 4001, "4000 digits"),
        ("a: 1\n---\nb: 2", "not YAML"),
        ("a: [1", "not YAML"),
        ("a: \0", "not YAML"),
        (".nan: 1", "which is no text"),
    ],
)
def test_yaml_is_read_within_limits(text: str, said: str) -> None:
    with pytest.raises(FaultError, match=said):
        plain.of_yaml(text.encode())


def test_what_editors_do_to_a_text_is_read() -> None:
    text = '{"a": [1, 2.5, "x", null, true]}\n'
    for data in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.replace("\n", "\r\n").encode()):
        assert plain.of_json(data) == plain.of_yaml(data) == {"a": [1, 2.5, "x", None, True]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cost": {"search": float("nan")}}, r"cost\.search is nan, not a finite number from 0 on"),
        ({"cost": {"search": "12s"}}, r"cost\.search is '12s', not a finite number"),
        ({"cost": {"search": -1}}, r"cost\.search is -1, not"),
        ({"cost": [1]}, r"cost is \[1\], not a mapping"),
        ({"seed": True}, "seed is True, not a whole number"),
        ({"seed": 1.5}, "seed is 1.5, not a whole number"),
        ({"error": "low"}, "error is 'low', not a number"),
        ({"metrics": {"auc": None}}, r"metrics\.auc is None, not a number"),
        ({"params": 10**400}, "params is 1000"),
        ({"device": "cpu"}, "device is 'cpu', not a mapping"),
        ({"device": {"name": 3, "type": "cpu"}}, r"device\.name is 3, not text"),
        ({"verb": "retrain"}, "lacks source, recipe"),
        ({"trajectory": [{"turn": 1}]}, r"trajectory\[0\] lacks probabilities"),
    ],
)
def test_a_value_of_another_kind_is_named_and_the_other_runs_are_shown(
    tmp_path: Path, change: dict, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "damaged", **change)
    write(tmp_path / "whole")
    with pytest.raises(DamagedError, match=rf"damaged/result\.json: .*{said}.*; restore it from a copy, or remove"):
        finished(tmp_path / "damaged")
    found = json.loads(compare([str(tmp_path)], format="json"))
    assert [row["runs"] for row in found["methods"]] == [[str(tmp_path / "whole")]]
    [left] = found["left_out"]
    assert left["status"] == "damaged" and re.match(rf"result\.json: .*{said}", left["reason"])
    assert "damaged" in list_runs([tmp_path])


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("result.json", "11.25", "91.25"),
        ("config.yaml", "random_search", "random_sharch"),
        ("overrides.yaml", "seed=0", "seed=1"),
        ("environment.json", "Xeon", "Xeom"),
        ("trials.jsonl", "10.0", "19.0"),
    ],
)
def test_a_changed_file_is_named_by_its_hash(tmp_path: Path, name: str, old: str, new: str) -> None:
    folder, other = write(tmp_path / "run"), write(tmp_path / "other", seed=1)
    text = (folder / name).read_text()
    (folder / name).write_text(text.replace(old, new, 1))
    assert (folder / name).read_text() != text
    found = json.loads(compare([str(tmp_path)], format="json"))
    assert [row["runs"] for row in found["methods"]] == [[str(other)]]
    assert re.match(
        rf"{re.escape(name)}: its hash is '\w+', but status\.json says '\w+'", found["left_out"][0]["reason"]
    )


def test_a_longer_a_missing_and_an_unlisted_file_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "run")
    with (folder / "result.json").open("a") as file:
        file.write("\n")
    with pytest.raises(DamagedError, match=r"result\.json: has [\d,]+ bytes, but status\.json says"):
        RunFiles(folder).read("result.json")
    (folder / "environment.json").unlink()
    with pytest.raises(DamagedError, match=r"environment\.json: is missing; restore"):
        RunFiles(folder).optional("environment.json", {})
    (folder / "latency.json").write_text("{}")
    with pytest.raises(DamagedError, match=r"latency\.json: status\.json holds no hash of it"):
        RunFiles(folder).optional("latency.json", {})


def test_runs_without_hashes_are_marked_unverified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    folder = write(tmp_path / "run")
    assert "nverified" not in compare([str(folder)]) + list_runs([folder])
    (folder / "status.json").write_text('{"status": "finished", "reason": null}')
    assert "Unverified, since status.json holds no hashes of the files: 1 run" in compare([str(folder)], width=1000)
    assert json.loads(compare([str(folder)], format="json"))["unverified"] == [str(folder)]
    assert str(folder) in compare([str(folder)], format="csv").splitlines()[-1]
    assert "unverified: no hashes in status.json" in list_runs([folder])


@pytest.mark.parametrize("kind", ["folder", "loop", "pipe"])
def test_what_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "run") / "result.json"
    path.unlink()
    {"folder": path.mkdir, "loop": lambda: path.symlink_to(path), "pipe": lambda: os.mkfifo(path)}[kind]()
    with pytest.raises(DamagedError, match=r"result\.json: (is not a file|is missing|cannot be read)"):
        finished(tmp_path / "run")


def test_a_line_is_named_by_its_number(tmp_path: Path) -> None:
    folder = write(tmp_path / "run")
    (folder / "status.json").write_text('{"status": "finished", "reason": null}')
    lines = (folder / "trials.jsonl").read_text().splitlines()
    (folder / "trials.jsonl").write_text("\n".join([lines[0], lines[1].replace("11.0", '"11s"'), lines[2]]) + "\n")
    with pytest.raises(DamagedError, match=r"trials\.jsonl: line 2: metrics\.error is '11s', not a number"):
        list(RunFiles(folder).lines("trials.jsonl"))


def interrupted(folder: Path) -> Path:
    """Make a run that was killed after a checkpoint, with a line of each .jsonl file."""
    with Run(folder, CONFIG, phase="search", checkpoint_seconds=1000) as run:
        for name in ("trials.jsonl", "history.jsonl", "replicas.jsonl", "correlation.jsonl"):
            run.append(name, {"index": 1})
        run.append("costs.jsonl", {"phase": "search", "seconds": 2.0, "cpu_seconds": 1.0})
        run.save({"x": 1})
        shutil.copytree(folder, folder.parent / "killed")
    return folder.parent / "killed"


@pytest.mark.parametrize("damage", ["shorter", "missing", "changed"])
@pytest.mark.parametrize("name", ["trials", "history", "replicas", "correlation", "costs"])
def test_lines_that_the_checkpoint_counts_on_are_never_made_up(tmp_path: Path, name: str, damage: str) -> None:
    folder = interrupted(tmp_path / "run")
    path = folder / f"{name}.jsonl"
    data = path.read_bytes()
    {
        "shorter": lambda: path.write_bytes(data[:-3]),
        "missing": path.unlink,
        "changed": lambda: path.write_bytes(data.replace(b"1", b"2")),
    }[damage]()
    left = path.read_bytes() if path.exists() else None
    said = rf"{name}\.jsonl: (has \d+ bytes, but checkpoint\.pt counts on \d+|its first \d+ bytes are not those)"
    run = Run(folder, CONFIG, phase="search", checkpoint_seconds=1000)
    with pytest.raises(DamagedError, match=said), run:
        pass
    assert (path.read_bytes() if path.exists() else None) == left


def test_lines_after_the_checkpoint_are_cut_off(tmp_path: Path) -> None:
    folder = interrupted(tmp_path / "run")
    with (folder / "trials.jsonl").open("a") as file:
        file.write('{"index": 2}\n{"ind')
    with Run(folder, CONFIG, phase="search", checkpoint_seconds=1000) as run:
        run.append("trials.jsonl", {"index": 3})
        run.save({"x": 2})
    assert [line["index"] for line in read_lines(folder / "trials.jsonl")] == [1, 3]
    with Run(folder, CONFIG, phase="search", checkpoint_seconds=1000) as run:
        assert run.state == {"x": 2}


def flip(path: Path, inside: bytes) -> None:
    """Change a bit within a part of a file that torch reads without looking at its checksum."""
    data = bytearray(path.read_bytes())
    data[data.index(inside) + len(inside) // 2] ^= 1
    path.write_bytes(data)


def test_a_flipped_bit_in_a_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    folder = write(tmp_path / "run")
    flip(folder / CHECKPOINT, (torch.arange(1000.0) + 1).numpy().tobytes())
    torch.load(folder / CHECKPOINT, weights_only=True)  # torch itself sees nothing
    (folder / "status.json").write_text('{"status": "interrupted", "reason": null}')
    with Run(folder, CONFIG, phase="search", checkpoint_seconds=1000) as run:
        assert run.state is not None and torch.equal(run.state["x"], torch.arange(1000.0))
    assert (folder / PREVIOUS).exists()


@pytest.mark.parametrize("hashes", [True, False])
def test_a_flipped_bit_in_weights_is_refused(tmp_path: Path, hashes: bool) -> None:
    folder = write(tmp_path / "run")
    flip(folder / "weights.pt", torch.ones(100).numpy().tobytes())
    if not hashes:
        (folder / "status.json").write_text('{"status": "finished", "reason": null}')
    said = "its hash is" if hashes else "is damaged, the checksum of its part"
    with pytest.raises(DamagedError, match=rf"weights\.pt: {said}"):
        tensors.read(RunFiles(folder), "weights.pt")
    assert json.loads(compare([str(folder)], format="json"))["left_out"] == []  # no table reads weights


def test_a_state_of_another_kind_is_refused(tmp_path: Path) -> None:
    class Loop:
        def load_state_dict(self, state: dict) -> None:
            self.turns = state["turns"]

    run = Run(interrupted(tmp_path / "run"), CONFIG, phase="search", checkpoint_seconds=1000)
    with pytest.raises(DamagedError, match=r"checkpoint\.pt: holds no state of such a run \(KeyError: 'turns'\)"), run:
        run.restore(Loop())


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="not a run directory"):
        finished(tmp_path)
