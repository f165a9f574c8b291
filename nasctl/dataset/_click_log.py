"""A click log's file: a label, 13 integers and 26 categories a line, read a block at a time.

The format is that of the Criteo display advertising challenge (https://www.kaggle.com/c/criteo-display-ad-challenge):
no header, tabs, integers blank or negative, categories blank or hexadecimal. No line becomes a Python object; only
a block that holds a line with a wrong number of columns is taken apart.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal, cast

import numpy as np

from nasctl.dataset._click_rows import COLUMNS, Fields, Rows, locate, read
from nasctl.errors import RequestError, unknown

_BLOCK = 1 << 19  # bytes: a block's arrays stay in a processor's cache
_GZIP = b"\x1f\x8b"


class ClickLog:
    """A file of lines, gzipped or not; ``blocks`` reads it once.

    Afterwards ``rows`` is the number of lines given, ``bad_rows`` of those left out, and ``digest`` the sha256 of
    the text. With ``header`` the first line names the columns, in any order and among others. `RequestError` names
    file and line of what cannot be read.
    """

    def __init__(self, path: Path, *, separator: str, header: bool, on_bad_rows: Literal["error", "skip"]) -> None:
        self.path, self.header, self.on_bad_rows = path, header, on_bad_rows
        self.separator = separator.encode()
        self.places: slice | list[int] = slice(None)  # of the columns in a line
        self.columns = len(COLUMNS)  # of a line
        self.rows = self.bad_rows = 0
        self._line = 0  # lines read
        self._sha = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._sha.hexdigest()

    def blocks(self) -> Iterator[Rows]:
        """Yield the file's lines in order, some thousands at a time."""
        with self.path.open("rb") as file:
            zipped = file.peek(len(_GZIP)).startswith(_GZIP)
            for text in self._texts(cast(BinaryIO, gzip.GzipFile(fileobj=file)) if zipped else file):
                self._sha.update(text)
                text = text if self._line else text.removeprefix(codecs.BOM_UTF8)
                rows = self._read(text if self._line or not self.header else self._without_header(text))
                self.rows += len(rows)
                yield rows
        if not self.rows:
            raise RequestError(f"{self.path}: holds no rows; name a click log with dataset.file")

    def _texts(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield whole lines."""
        rest = b""
        while part := self._part(file):
            lines, end, rest = (rest + part).rpartition(b"\n")
            if end:
                yield lines + end
        if rest:
            yield rest + b"\n"

    def _part(self, file: BinaryIO) -> bytes:
        try:
            return file.read(_BLOCK)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise RequestError(
                f"{self.path}, after line {self._line}: the gzip data are cut short or damaged ({error}); "
                "fetch the file again"
            ) from error

    def _without_header(self, text: bytes) -> bytes:
        first, _, text = text.partition(b"\n")
        names = first.decode(errors="replace").strip().lower().split(self.separator.decode())
        self._line, self.columns = 1, len(names)
        wanted = [name.lower() for name in COLUMNS]
        for name in wanted:
            if name not in names:
                raise unknown(f"{self.path}, line 1: the header (dataset.header=true) lacks a column", name, names)
            if names.count(name) > 1:
                raise RequestError(f"{self.path}, line 1: two columns are named {name}; rename one of them")
        self.places = [names.index(name) for name in wanted]
        return text

    def _read(self, text: bytes) -> Rows:
        fields = locate(text, self.separator, self.columns)
        if fields is None:
            return self._read_whole_lines(text.split(b"\n")[:-1])
        lines = np.arange(self._line + 1, self._line + 1 + len(fields))
        self._line += len(fields)
        return self._good(fields, lines)

    def _read_whole_lines(self, parts: Sequence[bytes]) -> Rows:
        """Read those of some lines that have the right number of columns."""
        lines = np.arange(self._line + 1, self._line + 1 + len(parts))
        self._line += len(parts)
        columns = np.array([part.count(self.separator) + 1 for part in parts])
        right = columns == self.columns
        self._refuse(lines[~right], lambda: f"{columns[~right][0]} columns where {self.columns} belong")
        whole = b"".join(part + b"\n" for part, kept in zip(parts, right, strict=True) if kept)
        fields = locate(whole, self.separator, self.columns)
        return self._good(fields, lines[right])  # type: ignore[arg-type]

    def _good(self, fields: Fields, lines: np.ndarray) -> Rows:
        fields = fields[self.places]
        rows, wrong = read(fields)
        bad = np.asarray(wrong.any(0))
        self._refuse(lines[bad], lambda: self._fault(fields, wrong, int(np.flatnonzero(bad)[0]), lines))
        return rows.keep(~bad)

    def _fault(self, fields: Fields, wrong: np.ndarray, line: int, lines: np.ndarray) -> str:
        column = int(np.flatnonzero(wrong[:, line])[0])
        kind = "0 or 1" if column == 0 else "an integer" if column < 14 else "up to 8 hexadecimal digits"
        hint = " (a header? then set dataset.header=true)" if lines[line] == 1 and column == 0 else ""
        return f"{COLUMNS[column]} is {fields.bytes(column, line).decode(errors='replace')!r}, not {kind}{hint}"

    def _refuse(self, lines: np.ndarray, fault: Callable[[], str]) -> None:
        if len(lines) and self.on_bad_rows == "error":
            raise RequestError(
                f"{self.path}, line {lines[0]}: {fault()}; correct the line or set dataset.on_bad_rows=skip"
            )
        self.bad_rows += len(lines)
