"""Damaged run directories: a seeded generator of what disks, editors, copies and strangers do to files."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

FILES = (
    *("status.json", "config.yaml", "overrides.yaml", "environment.json", "result.json", "architecture.json"),
    *("decisions.json", "trials.jsonl", "costs.jsonl", "history.jsonl", "replicas.jsonl", "correlation.jsonl"),
    *("latency.json", "checkpoint.pt", "weights.pt"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, "", "12s", "NaN", -1, 0, 1.5, 10**30, 10**400, [], {}, [1], {"a": 1}, float("nan"), float("inf")),
    *("\ud800", "x" * 5000, "../../x", [[[]]], "2020-01-01", -0.0, "\u0000", "é☃"),
)
DEEP = 5000

Mutate = Callable[[Path, random.Random], None]


def unverified(folder: Path, status: str) -> None:
    """Take the hashes out of status.json, as of a run of an older version or of one that was killed."""
    (folder / "status.json").write_text(json.dumps({"status": status, "reason": None}))


def mutate(folder: Path, draw: random.Random) -> str:
    """Damage one file of a run, and return what was done."""
    path = folder / draw.choice([name for name in FILES if (folder / name).exists()])
    kinds = [*BYTES, *(TREES if path.suffix != ".pt" else ()), *(LINES if path.suffix == ".jsonl" else ())]
    kind = draw.choice([*kinds, *(YAML if path.suffix == ".yaml" else ())])
    before = path.read_bytes()
    kind(path, draw)
    same = path.is_file() and path.read_bytes() == before
    return f"{path.name}: {kind.__name__}{' (no change)' if same else ''}"


def cut(path: Path, draw: random.Random) -> None:
    os.truncate(path, draw.randrange(path.stat().st_size))


def empty(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"")


def missing(path: Path, draw: random.Random) -> None:
    path.unlink()


def folder_instead(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.mkdir()


def loop_of_links(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.symlink_to(path.name)


def pipe(path: Path, draw: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


def flip(path: Path, draw: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(draw.choice([1, 1, 1, 20])):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def nul_bytes(path: Path, draw: random.Random) -> None:
    data = path.read_bytes()
    start = draw.randrange(len(data))
    path.write_bytes(data[:start] + b"\0" * draw.choice([1, 64, len(data) - start]))


def noise(path: Path, draw: random.Random) -> None:
    path.write_bytes(draw.randbytes(draw.choice([1, 100, 5000])))


def cut_out(path: Path, draw: random.Random) -> None:
    data = path.read_bytes()
    start, end = sorted(draw.choices(range(len(data)), k=2))
    path.write_bytes(data[:start] + data[end:])


def twice(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes() * 2)


def utf16(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes().decode(errors="replace").encode("utf-16"))


def byte_order_mark(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def carriage_returns(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def other_file(path: Path, draw: random.Random) -> None:
    other = draw.choice([name for name in FILES if name != path.name and (path.parent / name).exists()])
    shutil.copyfile(path.parent / other, path)


def deep(path: Path, draw: random.Random) -> None:
    text = draw.choice(["[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "[" * DEEP, "- " * DEEP])
    path.write_text(text + "\n")


def _load(path: Path, text: str) -> Any:
    return yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)


def _store(path: Path, content: Any) -> str:
    return yaml.safe_dump(content) if path.suffix == ".yaml" else json.dumps(content)


def _in_tree(path: Path, draw: random.Random, change: Callable[[Any, Any], Any]) -> None:
    """Change a random place of the content; of a .jsonl file, of a random line."""
    lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
    index = draw.randrange(len(lines))
    content = _load(path, lines[index])
    places = list(_places(content))
    if places:
        change(*draw.choice(places))
    lines[index] = _store(path, content)
    path.write_text("\n".join(lines) + "\n", errors="surrogatepass")


def _places(node: Any) -> Any:
    for key in list(node) if isinstance(node, dict) else range(len(node) if isinstance(node, list) else 0):
        yield node, key
        yield from _places(node[key])


def another_value(path: Path, draw: random.Random) -> None:
    value = draw.choice(VALUES if path.suffix != ".yaml" else [v for v in VALUES if v != "\ud800"])
    _in_tree(path, draw, lambda node, key: node.__setitem__(key, value))


def key_removed(path: Path, draw: random.Random) -> None:
    _in_tree(path, draw, lambda node, key: node.__delitem__(key))


def key_renamed(path: Path, draw: random.Random) -> None:
    def rename(node: Any, key: Any) -> None:
        if isinstance(node, dict):
            node[f"{key}x"] = node.pop(key)

    _in_tree(path, draw, rename)


def key_twice(path: Path, draw: random.Random) -> None:
    text = path.read_text()
    start = text.find("{") + 1 if path.suffix != ".yaml" else 0
    added = '"status": 1, "status": 2, "seed": 3, "seed": 4,' if path.suffix != ".yaml" else "seed: 1\nseed: 2\n"
    path.write_text(text[:start] + added + text[start:])


def too_large(path: Path, draw: random.Random) -> None:
    path.write_text(draw.choice(['{"seed": 1e999}', '{"seed": ' + "9" * 5000 + "}", "9" * 400, "-1e999"]) + "\n")


def line_lost(path: Path, draw: random.Random) -> None:
    lines = path.read_bytes().splitlines(True)
    del lines[draw.randrange(len(lines))]
    path.write_bytes(b"".join(lines))


def line_repeated(path: Path, draw: random.Random) -> None:
    lines = path.read_bytes().splitlines(True)
    lines.insert(0, draw.choice(lines))
    path.write_bytes(b"".join(lines))


def blank_line(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"\n" + path.read_bytes())


def bomb(path: Path, draw: random.Random) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))]
    path.write_text("\n".join(lines) + "\n")


def tagged(path: Path, draw: random.Random) -> None:
    tags = ["!!python/object/apply:os.getcwd []", "!!binary aGk=", "!!set {a, b}", "!own x", "&a [*a]", "2020-13-45"]
    path.write_text(f"seed: {draw.choice(tags)}\n")


def hostile_values(path: Path, draw: random.Random) -> None:
    words = [".nan", ".inf", "0x_", "1:30", "0o9", "12_3", "1_:5", "._", "=", "<<", "? [a, b]", "2020-01-01 25:61:00"]
    path.write_text("".join(f"{name}: {draw.choice(words)}\n" for name in ("seed", "choices", "threads", "label")))


BYTES: tuple[Mutate, ...] = (
    *(cut, empty, missing, folder_instead, loop_of_links, pipe, flip, flip, nul_bytes, noise, cut_out, twice),
    *(byte_order_mark, carriage_returns, other_file, deep),
)
TREES: tuple[Mutate, ...] = (another_value,) * 6 + (key_removed, key_removed, key_renamed, key_twice, too_large, utf16)
LINES: tuple[Mutate, ...] = (line_lost, line_repeated, blank_line)
YAML: tuple[Mutate, ...] = (bomb, tagged, hostile_values)
