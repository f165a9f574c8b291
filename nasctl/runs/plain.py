"""Plain data (text, numbers, lists, mappings) from the bytes of a JSON or YAML file, within limits.

A run directory may be damaged or come from a stranger, so whatever its files hold ends in data or in one `FaultError`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

import yaml

DEPTH = 50  # of nested lists and mappings
DIGITS = 4000  # of a whole number, such as the size of a space
_LARGEST = 10**DIGITS
_SHOWN = 60  # characters of a value in a sentence
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TOKENS = re.compile(r'"(?:\\.|[^"\\])*"|[\[{]|[\]}]')
_OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


class FaultError(ValueError):
    """What is wrong with the content of a file, as the clause of a sentence."""


def of_json(data: bytes) -> Any:
    """Return the content of a JSON text; NaN and Infinity are read, since diverged networks left them in records."""
    text = _decoded(data)
    if text.count("[") + text.count("{") > DEPTH:
        _check_depth(text)
    try:
        content = json.loads(text, parse_int=_whole, parse_float=_real, object_pairs_hook=_mapping)
    except json.JSONDecodeError as error:
        raise FaultError(f"not JSON ({error})") from error
    if re.search(r"\\u[dD][89a-fA-F]", text):
        _check_characters(content)
    return content


def of_yaml(data: bytes) -> Any:
    """Return the content of a YAML text of one document without tags, anchors and dates."""
    text = _decoded(data)
    try:
        _check_events(yaml.parse(text, Loader=_LOADER))
        content = yaml.load(text, Loader=_LOADER)
    except FaultError:
        raise
    except (yaml.YAMLError, ValueError) as error:  # of numbers and dates that cannot be
        raise FaultError(f"not YAML ({short(error)})") from error
    _check_plain(content)
    return content


def short(value: object) -> str:
    """Return a value, or a message, as it may stand in a sentence: one line, cut where it is long."""
    text = " ".join((str(value) if isinstance(value, Exception) else repr(value)).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FaultError(f"not UTF-8 text ({error.reason} at byte {error.start:,})") from error


def _check_depth(text: str) -> None:
    depth = 0
    for token in _TOKENS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > DEPTH:
            raise FaultError(f"nested deeper than {DEPTH} levels")


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise FaultError(f"holds a number of {len(digits):,} digits, at most {DIGITS} are read")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise FaultError(f"holds the number {short(digits)}, which is too large")
    return value


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise FaultError(f"holds the key {short(next(n for n in names if names.count(n) > 1))} twice")
    return content


def _check_characters(content: Any) -> None:
    """Raise `FaultError` for halves of surrogate pairs, which no file and no terminal takes."""
    if isinstance(content, str):
        try:
            content.encode()
        except UnicodeEncodeError:
            raise FaultError(f"holds {short(content)}, which is no text") from None
    elif isinstance(content, dict | list):
        for part in [*content, *content.values()] if isinstance(content, dict) else content:
            _check_characters(part)


def _check_events(events: Iterable[Any]) -> None:
    """Raise `FaultError` for what the loader should not meet: depth, tags, aliases, keys that come twice."""
    open_: list[_Open] = []
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise FaultError(f"holds the alias *{event.anchor}, which is not read")
        if getattr(event, "tag", None) is not None:
            raise FaultError(f"holds the tag {short(event.tag)}, which is not read")
        if isinstance(event, _CLOSING):
            open_.pop()
        elif open_ and isinstance(event, (yaml.ScalarEvent, *_OPENING)):
            open_[-1].add(event)
        if isinstance(event, _OPENING):
            open_.append(_Open(isinstance(event, yaml.MappingStartEvent)))
        if len(open_) > DEPTH:
            raise FaultError(f"nested deeper than {DEPTH} levels")


class _Open:
    """A list or mapping of a YAML text that has begun."""

    def __init__(self, mapping: bool) -> None:
        self.mapping, self.nodes = mapping, 0
        self.keys: set[str] = set()

    def add(self, event: Any) -> None:
        """Count a node; raise `FaultError` if it is a key for the second time, or no text."""
        self.nodes += 1
        if not self.mapping or self.nodes % 2 == 0:
            return
        if not isinstance(event, yaml.ScalarEvent):
            raise FaultError("holds a key that is no text")
        if event.value in self.keys:
            raise FaultError(f"holds the key {short(event.value)} twice")
        self.keys.add(event.value)


def _check_plain(content: Any) -> None:
    if isinstance(content, dict):
        wrong = [key for key in content if not isinstance(key, str | int)]
        if wrong:
            raise FaultError(f"holds the key {short(wrong[0])}, which is no text")
    if isinstance(content, dict | list):
        for part in content.values() if isinstance(content, dict) else content:
            _check_plain(part)
    elif isinstance(content, int) and abs(content) >= _LARGEST:
        raise FaultError(f"holds a number of more than {DIGITS} digits")
    elif not isinstance(content, str | int | float | None):
        raise FaultError(f"holds {short(content)}, which is neither text nor a number")


def is_name(value: Any) -> bool:
    """Return whether ``value`` is a name, or several joined by slashes; no part of it climbs out of a folder."""
    return isinstance(value, str) and all(_NAME.fullmatch(part) for part in value.split("/"))
