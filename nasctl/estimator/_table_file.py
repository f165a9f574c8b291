"""The file behind a table: one row an architecture, read once for all searches of a process.

Every fault of the file is a `RequestError` that names the file, the row and the column.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from nasctl.digest import Stamp, file_digest, stamp_of
from nasctl.errors import MissingDataError, RequestError, unknown
from nasctl.estimator import _nats_folder
from nasctl.estimator._table_text import read_text

if TYPE_CHECKING:
    import pandas

Values = tuple[float | None, ...]
"""The numbers of a row in the order of the columns asked for; None where the file has none."""


@dataclass(frozen=True, eq=False)
class TableFile:
    """Values by architecture in the notation of the file, the line of each row, and hashes of the content.

    In a folder of NATS-Bench a row's line is the architecture's number there, and no row is in memory.
    """

    path: Path
    hashes: Mapping[str, str]
    rows: Mapping[str, Values]
    lines: Mapping[str, int]
    in_memory: Mapping[str, Values]


def read(path: Path, architecture: str, columns: tuple[tuple[str, str], ...]) -> TableFile:
    """Return the ``columns``, pairs of the setting that names one and its name; a file is read once."""
    content = _content(path)
    if content == path:
        return _read(path, stamp_of(path), architecture, columns)
    return _read_folder(path, (stamp_of(content), stamp_of(path)), columns)


def hashes(path: Path) -> dict[str, str]:
    """Return the SHA-256 of a table's file; of a folder of NATS-Bench that of its list, and of all names and sizes."""
    content = _content(path)
    found = {"table": file_digest(content, "sha256")}
    return found if content == path else found | {"table_files": _nats_folder.listing(path, stamp_of(path))}


def _content(path: Path) -> Path:
    """Return the file to read first: the table, or a folder's list of architectures."""
    meta = path / _nats_folder.META
    if not meta.is_file() and not path.is_file():
        raise MissingDataError(
            f"estimator.file: there is no {path}; give a .csv, .csv.gz or .parquet file, a folder of NATS-Bench, or "
            "paths.data=DIR"
        )
    return meta if meta.is_file() else path


@lru_cache(maxsize=6)
def _read_folder(path: Path, stamps: tuple[Stamp, Stamp], columns: tuple[tuple[str, str], ...]) -> TableFile:
    rows = _nats_folder.Rows(path, columns)
    return TableFile(path, hashes(path), rows, rows.lines, {})


@lru_cache(maxsize=6)
def _read(path: Path, stamp: Stamp, architecture: str, columns: tuple[tuple[str, str], ...]) -> TableFile:
    frame = _frame(path)
    for setting, column in (("estimator.architecture", architecture), *columns):
        if column not in frame:
            raise unknown(f"{setting}: column of {path}", column, map(str, frame.columns))
    names = [str(name).strip() for name in frame[architecture]]
    if not names:
        raise RequestError(f"{path}: has a header but no row; give a finished table")
    lines = {name: line for line, name in enumerate(names, start=2)}
    if len(lines) < len(names):
        twice = next(name for i, name in enumerate(names) if lines[name] != i + 2)
        raise RequestError(f"{path}, row {lines[twice]}: a second row for {twice}; remove one of them")
    values = [_numbers(frame, column, path) for _, column in columns]
    rows = dict(zip(names, zip(*values, strict=True), strict=True))
    return TableFile(path, hashes(path), rows, lines, rows)


def _frame(path: Path) -> pandas.DataFrame:
    import pandas  # a second to import, so only where it is needed

    try:
        return read_text(path) if ".csv" in path.suffixes else pandas.read_parquet(path)
    except RequestError:
        raise
    except ImportError as error:
        raise RequestError(f"{path}: Parquet needs pyarrow; pip install 'nasctl[parquet]' or save it as CSV") from error
    except Exception as error:  # whatever a damaged file makes the readers raise
        raise RequestError(f"{path}: cannot be read as a table ({error}); give a CSV or Parquet file") from error


def _numbers(frame: pandas.DataFrame, column: str, path: Path) -> list[float | None]:
    import pandas

    numbers = pandas.to_numeric(frame[column], errors="coerce")
    text = frame[column].astype(str).str.strip().str.lower()
    wrong = numbers.isna() & frame[column].notna() & ~text.isin(["", "nan"])
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise RequestError(f"{path}, row {row + 2}: {column} is {frame[column].iloc[row]!r}, not a number; correct it")
    infinite = numbers.abs() == math.inf
    if infinite.any():
        row = int(infinite.to_numpy().argmax())
        raise RequestError(f"{path}, row {row + 2}: {column} is infinite; correct it or leave it blank")
    return [None if number != number else float(number) for number in numbers]
