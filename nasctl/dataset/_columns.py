"""A click log as columns on disk, ready for batches: one memory-mapped file a column.

Two passes make it. The first streams the text and writes signed logarithms of the integers and provisional ids of
the categories; the second goes over the binary columns one at a time, counts and averages the rows that are not
held out, and rewrites the column in place: standardised numbers, and ids by falling frequency with the rare ones in
one bucket. Memory is bounded by the distinct values of the categories.

facts.json, written last, has size and sha256 of each column and its own; a process that opens a folder compares them
once, and columns that are damaged are made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasctl.dataset._click_log import ClickLog
from nasctl.dataset._click_rows import CATEGORIES, NUMBERS, Rows
from nasctl.dataset._table import HeldOut
from nasctl.dataset._vocabulary import Vocabulary
from nasctl.digest import file_digest
from nasctl.errors import RunError

log = logging.getLogger("nasctl")

FORMAT = 2  # of the files; raise it when their content changes
FACTS = "facts.json"  # in the folder of columns
OUT_OF_VOCABULARY = 0  # the id of what is rare among the rows that are not held out
_GATHERED = 1 << 14  # rows that are encoded and written at once
_CHUNK = 1 << 20  # rows of a column in memory at once
_TYPES = {"label": np.uint8} | dict.fromkeys(NUMBERS, np.float32) | dict.fromkeys(CATEGORIES, np.int32)


@dataclass(frozen=True)
class Columns:
    """A finished cache in ``folder``; ``facts`` has its number of rows, vocabularies and what it was made from."""

    folder: Path
    facts: Mapping[str, Any]

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column ``(rows,)``: ``label`` uint8, ``I1`` float32 (NaN if missing), ``C1`` int32."""
        return np.memmap(self.folder / name, _TYPES[name], "r")


def cached(source: ClickLog, folder: Path, *, min_count: int, held_out: HeldOut) -> Columns:
    """Return the columns in ``folder`` if they were made from the file as it is now, else make them."""
    if (columns := _fresh(source.path, folder)) is not None:
        return columns
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _independent(folder.with_name(f"{folder.name}.lock")):
            return _fresh(source.path, folder) or _convert(source, folder, min_count, held_out)
    except OSError as error:
        raise RunError(
            f"{folder}: cannot be made ({error}); free some disk space, or name another folder with dataset.cache"
        ) from error


def _fresh(path: Path, folder: Path) -> Columns | None:
    if not (folder / FACTS).is_file():
        return None
    facts = _read_facts(folder / FACTS)
    if facts is not None and not facts.items() >= _state(path).items():
        return None
    if facts is None or (damaged := _damaged(folder, facts["columns"])):
        log.warning("%s: damaged (%s); it is made again", folder, FACTS if facts is None else damaged)
        return None
    return Columns(folder, facts)


def _read_facts(path: Path) -> dict[str, Any] | None:
    """Return the facts of a folder, or None if they are not as they were written."""
    try:
        facts = json.loads(path.read_bytes())
    except ValueError:  # neither UTF-8 nor JSON
        return None
    if not isinstance(facts, dict):
        return None
    own = facts.pop("sha256", None)
    return facts if facts.get("format") != FORMAT or own == _sha256_of(facts) else None


def _sha256_of(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _damaged(folder: Path, columns: Mapping[str, Any]) -> str | None:
    """Return the first column that has another size or content than when it was made."""
    for name in _TYPES:
        path = folder / name
        if not path.is_file() or _state_of_column(path) != columns[name]:
            return name
    return None


def _state_of_column(path: Path) -> dict[str, Any]:
    return {"size": path.stat().st_size, "sha256": file_digest(path, "sha256")}


def _state(path: Path) -> dict[str, int]:
    found = path.stat()
    return {"format": FORMAT, "size": found.st_size, "time": found.st_mtime_ns}


@contextlib.contextmanager
def _independent(path: Path) -> Iterator[None]:
    """Let one process at a time convert; the lock dies with its process."""
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _convert(source: ClickLog, folder: Path, min_count: int, held_out: HeldOut) -> Columns:
    log.warning("%s: converting to %s, once", source.path, folder)
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed
    unfinished.mkdir()
    state = _state(source.path)  # before reading: a file that changes meanwhile is converted again
    try:
        vocabularies = _write(source, unfinished)
        facts = state | {"rows": source.rows, "bad_rows": source.bad_rows, "digest": source.digest}
        facts |= _finish(unfinished, vocabularies, min_count, ~held_out(source.rows))
        facts |= {"columns": {name: _state_of_column(unfinished / name) for name in _TYPES}}
        facts = json.loads(json.dumps(facts))  # as they are read back
        text = json.dumps(facts | {"sha256": _sha256_of(facts)}, indent=1) + "\n"
        (unfinished / FACTS).write_text(text, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # made from an older file
        os.replace(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Columns(folder, facts)


def _write(source: ClickLog, folder: Path) -> dict[str, Vocabulary]:
    """Write logarithms and provisional ids; return the vocabularies that gave the ids (0: blank)."""
    vocabularies = {name: Vocabulary() for name in CATEGORIES}
    with contextlib.ExitStack() as stack:
        files = {name: stack.enter_context((folder / name).open("wb")) for name in _TYPES}
        for rows in _gathered(source.blocks()):
            rows.labels.tofile(files["label"])
            for name, column in zip(NUMBERS, signed_log(rows.numbers), strict=True):
                column.tofile(files[name])
            for i, (name, vocabulary) in enumerate(vocabularies.items()):
                _provisional(rows, i, vocabulary).tofile(files[name])
    return vocabularies


def _gathered(blocks: Iterator[Rows]) -> Iterator[Rows]:
    """Join blocks: a vocabulary asked for many keys at once takes half as long."""
    waiting: list[Rows] = []
    for rows in blocks:
        waiting.append(rows)
        if sum(map(len, waiting)) >= _GATHERED:
            yield Rows.join(waiting)
            waiting = []
    if waiting:
        yield Rows.join(waiting)


def signed_log(numbers: np.ndarray) -> np.ndarray:
    """Return sign(x) log(1 + |x|) as float32; NaN stays."""
    values: np.ndarray = np.copysign(np.log1p(np.abs(numbers)), numbers).astype(np.float32)
    return values


def _provisional(rows: Rows, i: int, vocabulary: Vocabulary) -> np.ndarray:
    known = rows.known[i]
    if known.all():
        return vocabulary.encode(rows.keys[i])
    ids = np.zeros(len(rows), np.int32)
    ids[known] = vocabulary.encode(rows.keys[i, known])
    return ids


def _finish(
    folder: Path, vocabularies: Mapping[str, Vocabulary], min_count: int, counted: np.ndarray
) -> dict[str, Any]:
    """Rewrite the columns in place; return means, deviations and the number of ids of each category."""
    moments = {name: _standardise(folder / name, counted) for name in NUMBERS}
    sizes = [_number(folder / name, v, min_count, counted) for name, v in vocabularies.items()]
    return {"moments": moments, "vocabularies": sizes}


def _chunks(path: Path, counted: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield writable parts of a column with the mask of the rows that count."""
    column = np.memmap(path, _TYPES[path.name], "r+")
    for start in range(0, len(column), _CHUNK):
        yield column[start : start + _CHUNK], counted[start : start + _CHUNK]


def _standardise(path: Path, counted: np.ndarray) -> tuple[float, float]:
    """Give a column of numbers mean 0 and deviation 1 over the rows that count and have a value."""

    def mean(of: Callable[[np.ndarray], np.ndarray]) -> float:
        total = count = 0.0
        for part, mask in _chunks(path, counted):
            values = of(part[mask & ~np.isnan(part)].astype(np.float64))
            total, count = total + values.sum(), count + len(values)
        return float(total / max(count, 1))

    centre = mean(lambda values: values)
    deviation = mean(lambda values: (values - centre) ** 2) ** 0.5
    for part, _ in _chunks(path, counted):
        part[:] = (part - centre) / (deviation or 1.0)
    return centre, deviation


def _number(path: Path, vocabulary: Vocabulary, min_count: int, counted: np.ndarray) -> int:
    """Replace provisional ids by 1, 2, ... as values get rarer, and by 0 below ``min_count``; return how many.

    A blank counts as a value. Equal counts go by key, so ids do not depend on the blocks of the first pass.
    """
    counts = np.zeros(len(vocabulary) + 1, np.int64)
    for part, mask in _chunks(path, counted):
        counts += np.bincount(part[mask], minlength=len(counts))
    keys = np.concatenate([[-1], vocabulary.keys()])
    kept = np.flatnonzero(counts >= min_count)
    kept = kept[np.lexsort((keys[kept], -counts[kept]))]
    final = np.full(len(counts), OUT_OF_VOCABULARY, np.int32)
    final[kept] = np.arange(1, len(kept) + 1)
    for part, _ in _chunks(path, counted):
        part[:] = final[part]
    return len(kept) + 1
