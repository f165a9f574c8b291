"""Records of a stranger's run directory: plain data of bounded size and of the expected kinds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nasctl.runs.plain import is_name
from nasctl.runs.reader import DamagedError, RunFiles

WHOLE = {
    **{"verb": "search", "signature": "x", "seed": 0, "error": None, "error_kind": "proxy", "params": 1, "macs": 1},
    **{"cost": {"search": 1.0}, "device": {"type": "cpu", "name": "x"}},
}
LAUGHS = "a: &a0 [x, x]\n" + "".join(f"b{i}: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(60))


@pytest.mark.parametrize(
    "text",
    [LAUGHS, "&x {a: *x}", "a: &x [*x]", "a: !!python/object/apply:os.system [true]", "a: !!binary aGk=",
     "a: 2024-01-01",
     "? [1]\n: 2", "a: !!set {x}", "a: " + "[" * 5000, "[1]", "", "5", "a: [", "\x00", "!x {}"],
)  # fmt: skip
def test_a_record_is_plain_data_of_bounded_size(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(DamagedError, match=r"config\.yaml: "):
        RunFiles(tmp_path).read("config.yaml", "seed")


def test_a_record_too_long_to_be_one_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "result.json").open("wb") as file:
        file.truncate(2**28 + 1)
    with pytest.raises(DamagedError, match="at most 268,435,456 are read"):
        RunFiles(tmp_path).read("result.json")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop"])
def test_only_regular_files_are_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    {
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "folder": path.mkdir,
        "loop": lambda: path.symlink_to(path),
    }[kind]()
    with pytest.raises(DamagedError, match=r"result\.json: "):
        RunFiles(tmp_path).read("result.json")


@pytest.mark.parametrize(
    "content",
    [
        {"cost": {"search": "12s"}},
        {"cost": {"search": float("nan")}},
        {"cost": [1]},
        {"work": {"search": None}},
        {"device": {"type": 1, "name": "x"}},
        {"device": "cpu"},
        {"error": "low"},
        {"error_kind": None},
        {"params": True},
        {"seed": -1},
        {"source": {"kind": "run", "name": "x", "choices": {"space": "../x"}}},
        {"source": {"kind": "run", "name": "x", "choices": {"space": "/etc"}}},
        {"source": {"kind": "run", "name": "x", "label": ["x"]}},
        {"source": [1]},
        {"metrics": {"error": [1]}},
    ],
)
def test_a_value_of_another_kind_is_refused(content: dict, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps(WHOLE | content))
    with pytest.raises(DamagedError, match=rf"result\.json: {next(iter(content))}.* is .*, not "):
        RunFiles(tmp_path).read("result.json")


@pytest.mark.parametrize("name, right", [
    ("darts", True), ("tabnas_table1/rejection", True), ("my-own.v2", True), ("a/b/c", True), ("..", False),
    ("../x", False), ("a/../b", False), ("/a", False), ("a/", False), ("", False), ("a b", False), ("~", False),
    (".hidden", False), ("a\n", False), ("a\x00", False), (5, False), (None, False), ("a//b", False),
])  # fmt: skip
def test_names(name: object, right: bool) -> None:
    assert is_name(name) == right
