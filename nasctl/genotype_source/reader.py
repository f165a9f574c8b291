"""A genotype file, or a genotype as text: JSON, a Python literal, the family's notation, a log, a YAML of several."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nasctl.core import Genotype, Remark, SearchSpace
from nasctl.errors import RequestError
from nasctl.genotype_format import _literal
from nasctl.genotype_source.choice import choose
from nasctl.genotype_source.entries import MOST, Entry, Found, entries

LARGEST = 64_000_000  # bytes of a log

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_file(path: Path, name: str | None, space: SearchSpace, remark: Remark) -> Genotype:
    """Return the genotype of a file that ``name`` names, or its only one; `RequestError` names file and line."""
    text = _text(path)
    found = _of_yaml(text, path) if path.suffix in (".yaml", ".yml") else None
    return _read(text, str(path), name, space, remark, found)


def read_text(text: str, space: SearchSpace, remark: Remark) -> Genotype:
    """Return the genotype that ``text`` writes."""
    return _read(text, "from", None, space, remark, None)


def recorded(path: Path, architecture: Mapping[str, Any], space: SearchSpace) -> Genotype:
    """Return the genotype in the content of the architecture.json at ``path``, as it was written."""
    return _of_data(architecture, str(path), space)


def _text(path: Path) -> str:
    """Return the text of a file; `RequestError` if it is none, or cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise RequestError(
                f"{path}: is larger than {LARGEST // 1_000_000} MB; give the genotype alone, or the end of the log"
            )
        content = path.read_bytes()
    except OSError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror}); give a genotype file") from error
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise RequestError(f"{path}: is no text; give a genotype file") from error
    if "\0" in text:
        raise RequestError(f"{path}: is no text; give a genotype file")
    return text


def _read(text: str, place: str, name: str | None, space: SearchSpace, remark: Remark, found: Found | None) -> Genotype:
    if text.lstrip().startswith("{") and name is None and found is None:
        return _of_data(_mapping(text, place), place, space)
    entry = choose(found or _found(text, place, space.format.marks), name, place, remark)
    if entry is None:
        return _parsed(_without_comments(text), place, space, remark)
    if entry.text.startswith("{"):
        return _of_data(_literal.read(entry.text), f"{place}, line {entry.line}", space)
    return _parsed(entry.text, f"{place}, line {entry.line}" if entry.line else place, space, remark)


def _found(text: str, place: str, marks: Sequence[str]) -> Found:
    try:
        return entries(text, marks)
    except RequestError as error:
        raise RequestError(f"{place}, {error}") from error


def _parsed(text: str, place: str, space: SearchSpace, remark: Remark) -> Genotype:
    try:
        return space.format.parse(text, lambda said: remark(f"{place}: {said}"))
    except RequestError as error:
        raise RequestError(f"{place}: {error}") from error


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")).strip()


def _mapping(text: str, place: str) -> Any:
    """Return a mapping written as JSON or as a Python literal."""
    try:
        return _json(text, place)
    except RequestError:
        if len(text) > MOST:
            raise
        try:
            return _literal.read(text)
        except RequestError:
            pass
        raise


def _json(text: str, place: str) -> Any:
    if len(text) > MOST:
        raise RequestError(f"{place}: has {len(text):,} characters, a genotype has less than {MOST:,}; correct it")
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError as error:
        raise RequestError(f"{place}: is nested too deeply for a genotype; correct it") from error
    except ValueError as error:
        raise RequestError(f"{place}: not a JSON file ({error}); correct it") from error


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _of_data(data: Any, place: str, space: SearchSpace) -> Genotype:
    family = data.get("family", space.format.family) if isinstance(data, Mapping) else None
    genotype = data.get("genotype", data) if isinstance(data, Mapping) else data
    if not isinstance(genotype, Mapping):
        raise RequestError(f"{place}: the genotype is {_literal.shown(genotype)} where a mapping belongs; correct it")
    if family != space.format.family:
        raise RequestError(
            f"{place}: a genotype of {family}, but the space is {space.format.family}; choose space={family}"
        )
    try:
        return space.format.check(genotype)
    except RequestError as error:
        raise RequestError(f"{place}: {error}") from error


def _of_yaml(text: str, path: Path) -> Found:
    """Return the texts of a YAML file, each named by its keys joined with dots."""
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise RequestError(f"{path}: not a YAML file ({' '.join(str(error).split())}); correct it") from error
    return Found(list(_leaves(content, ())))


def _leaves(node: Any, keys: tuple[str, ...]) -> Iterator[Entry]:
    if isinstance(node, Mapping):
        for key, item in node.items():
            yield from _leaves(item, (*keys, str(key)))
    elif isinstance(node, str):
        yield Entry((".".join(keys),) if keys else (), 0, node)
