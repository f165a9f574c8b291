"""The records of a run directory that somebody else may have made, read as data: bounded, plain, of the expected kinds.

Every fault is a `RequestError` that names the file. docs/security.md says what a record may do and what it may not.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from nasctl.core import RequestError
from nasctl.text import shown

BYTES = 1 << 26  # of a record, at most
DEPTH = 24  # of mappings and lists within each other
NODES = 1 << 20  # values of a record; counts what aliases of YAML repeat
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Content = TypeVar("Content", bound=Mapping[str, Any])
Kind = Callable[[Any], bool]
"""Whether a value is of a kind."""


def read_text(path: Path) -> str:
    """Return the text of a record, or raise `RequestError` for what is no file, or too long for one."""
    try:
        if not path.is_file():  # neither a folder, nor a pipe or a device, which would never end
            raise RequestError(f"{path}: is no regular file; name another one")
        if path.stat().st_size > BYTES:
            raise RequestError(f"{path}: is longer than {BYTES:,} bytes, which no record is; name another run")
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RequestError(f"{path}: cannot be read ({error}); get the run again") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return a record that holds one JSON object."""
    return _mapping(path, lambda: json.loads(read_text(path)))


def read_yaml(path: Path) -> dict[str, Any]:
    """Return a record that holds one YAML mapping."""
    return _mapping(path, lambda: yaml.load(read_text(path), _LOADER))


def read_list(path: Path) -> list[str]:
    """Return a record that holds a YAML list of texts, such as overrides.yaml."""
    content = _parsed(path, lambda: yaml.load(read_text(path), _LOADER))
    content = [] if content is None else content
    if not isinstance(content, list) or not all(isinstance(line, str) for line in content):
        raise RequestError(f"{path}: is no list of settings; get the run again")
    return content


def _mapping(path: Path, parse: Callable[[], Any]) -> dict[str, Any]:
    content = _parsed(path, parse)
    if not isinstance(content, dict):
        raise RequestError(f"{path}: holds no mapping; get the run again")
    return content


def _parsed(path: Path, parse: Callable[[], Any]) -> Any:
    try:
        content = parse()
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise RequestError(f"{path}: cannot be read ({shown(str(error))}); get the run again") from error
    if fault := unplain(content):
        raise RequestError(f"{path}: {fault}, which no record has; get the run again")
    return content


def unplain(value: Any) -> str | None:
    """Return what keeps ``value`` from being plain data of a sensible size; None if nothing does."""
    left = NODES
    waiting = [(value, 0)]
    while waiting:
        node, depth = waiting.pop()
        left -= 1
        if left < 0 or depth > DEPTH:
            return "holds too many values within each other"
        if isinstance(node, dict):
            if not all(isinstance(key, str | int | float | None) for key in node):
                return "has a key that is no text"
            waiting += [(item, depth + 1) for item in node.values()]
        elif isinstance(node, list):
            waiting += [(item, depth + 1) for item in node]
        elif not isinstance(node, str | int | float | None):
            return f"holds a {type(node).__name__}"
    return None


def texts(value: Any) -> Iterator[str]:
    """Yield every text in plain data, keys of mappings among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*texts(key), *texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def is_name(value: Any) -> bool:
    """Return whether ``value`` is a name, or several joined by slashes; no part of it climbs out of a folder."""
    return isinstance(value, str) and all(NAME.fullmatch(part) for part in value.split("/"))


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _label(value: Any) -> bool:
    return _text(value) or _number(value)


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _either(kind: Kind) -> Kind:
    return lambda value: value is None or kind(value)


def _all(kind: Kind) -> Kind:
    return lambda value: isinstance(value, dict) and all(isinstance(k, str) and kind(v) for k, v in value.items())


def _of(**kinds: Kind) -> Kind:
    return lambda value: isinstance(value, dict) and all(k in value and kind(value[k]) for k, kind in kinds.items())


SOURCE: Mapping[str, Kind] = {
    "kind": _text,
    "name": _text,
    "signature": _either(_text),
    "method": _either(_text),
    "seed": _either(_whole),
    "choices": _all(_either(is_name)),
    "label": _either(_label),
    "device": _of(type=_text, name=_text),
    "space_size": _either(_number),
    "ops": _either(_number),
    "cost": _all(_number),
    "work": _either(_all(_number)),
    "budget": _either(_all(_scalar)),
}
RESULT: Mapping[str, Kind] = {
    **{name: SOURCE[name] for name in ("method", "device", "space_size", "ops", "cost", "work", "budget")},
    "verb": _text,
    "signature": _text,
    "seed": _whole,
    "error": _either(_number),
    "error_kind": _text,
    "metrics": _either(_all(_scalar)),
    "params": _either(_number),
    "macs": _either(_number),
    "trials": _whole,
    "source": lambda value: isinstance(value, dict) and all(_fits(SOURCE, key, value[key]) for key in value),
}
CONFIG: Mapping[str, Kind] = {
    **{name: SOURCE[name] for name in ("choices", "label")},
    "signature": _text,
    "seed": _whole,
    "threads": _either(_whole),
    **{group: _either(_all(lambda value: True)) for group in ("space", "dataset", "trainer", "constraint", "paths")},
    **{group: _either(_all(lambda value: True)) for group in ("strategy", "estimator", "reward")},
}
ARCHITECTURE: Mapping[str, Kind] = {
    "family": _text,
    "notation": _text,
    "arch": _either(lambda value: isinstance(value, list) and all(map(_whole, value))),
}
_SHAPES: Mapping[str, Kind] = {
    **dict.fromkeys(("reason", "verb", "signature", "method", "error_kind", "label", "seed", "kind", "name"), _scalar),
    **dict.fromkeys(("error", "params", "macs", "ops", "space_size", "margin", "recipe", "recipe_name"), _scalar),
    **dict.fromkeys(("cost", "work", "choices", "published", "budget", "git"), _either(_all(_scalar))),
    **dict.fromkeys(("metrics", "constraint"), _either(_all(lambda value: True))),
}
_ORIGIN: Mapping[str, Kind] = {**_SHAPES, "device": _either(_all(lambda value: True))}
SHAPES: Mapping[str, Kind] = {
    **_SHAPES,
    "source": _either(lambda value: isinstance(value, dict) and all(_fits(_ORIGIN, key, value[key]) for key in value)),
}
"""Which values of records are one, and which are several: all that a table needs, so that older runs are shown too."""
MEASURED: Mapping[str, Kind] = {**SHAPES, "device": _ORIGIN["device"]}
"""The same in records of what was measured, where a device has a name and a type."""
ENVIRONMENT: Mapping[str, Kind] = {"threads": _either(_whole), "data": _all(_text)}
STATUS: Mapping[str, Kind] = {"status": _text, "reason": _either(_text)}


def _fits(kinds: Mapping[str, Kind], key: str, value: Any) -> bool:
    return key not in kinds or kinds[key](value)


def check(path: Path, content: Content, kinds: Mapping[str, Kind], *needed: str) -> Content:
    """Return ``content`` if its values are of their kinds and the ``needed`` ones there, or raise `RequestError`."""
    for key in needed:
        if key not in content:
            raise RequestError(f"{path}: lacks {key}; run it again, or get the run again")
    for key, value in content.items():
        if not _fits(kinds, key, value):
            told = shown(repr(value)[:80])
            raise RequestError(f"{path}: {key} is {told}, which is none; run it again, or get the run again")
    return content


def result(run: Path, *needed: str) -> dict[str, Any]:
    """Return result.json of the directory ``run``."""
    return check(run / "result.json", read_json(run / "result.json"), RESULT, *needed)


def config(run: Path, *needed: str) -> dict[str, Any]:
    """Return config.yaml of the directory ``run``."""
    return check(run / "config.yaml", read_yaml(run / "config.yaml"), CONFIG, *needed)


def status(run: Path) -> dict[str, Any]:
    """Return status.json of the directory ``run``."""
    return check(run / "status.json", read_json(run / "status.json"), STATUS, "status")


def environment(run: Path, *needed: str) -> dict[str, Any]:
    """Return environment.json of the directory ``run``."""
    return check(run / "environment.json", read_json(run / "environment.json"), ENVIRONMENT, *needed)


def architecture(run: Path) -> dict[str, Any]:
    """Return architecture.json of the directory ``run``."""
    return check(run / "architecture.json", read_json(run / "architecture.json"), ARCHITECTURE, "genotype", "arch")
