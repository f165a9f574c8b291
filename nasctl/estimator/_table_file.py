"""The file behind a table: one row an architecture, read once for all searches of a process.

Every fault of the file is a `RequestError` that names the file, the row and the column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from nasctl.core import RequestError, unknown
from nasctl.estimator import _nats_folder

if TYPE_CHECKING:
    import pandas

Values = tuple[float | None, ...]
"""The numbers of a row in the order of the columns asked for; None where the file has none."""


@dataclass(frozen=True)
class TableFile:
    """Values by architecture in the notation of the file, the line of each row, and the file's SHA-256.

    In a folder of NATS-Bench a row's line is the architecture's number there, the digest that of its list.
    """

    path: Path
    sha256: str
    rows: Mapping[str, Values]
    lines: Mapping[str, int]


def read(path: Path, architecture: str, columns: tuple[tuple[str, str], ...]) -> TableFile:
    """Return the ``columns``, pairs of the setting that names one and its name; a file is read once."""
    folder = (path / _nats_folder.META).is_file()
    if not folder and not path.is_file():
        raise RequestError(
            f"estimator.file: there is no {path}; give a .csv, .csv.gz or .parquet file, a folder of NATS-Bench, or "
            "paths.data=DIR"
        )
    stat = (path / _nats_folder.META if folder else path).stat()
    stamp = stat.st_mtime_ns, stat.st_size
    return _read_folder(path, stamp, columns) if folder else _read(path, stamp, architecture, columns)


@lru_cache(maxsize=2)
def _read_folder(path: Path, stamp: tuple[int, int], columns: tuple[tuple[str, str], ...]) -> TableFile:
    rows = _nats_folder.Rows(path, columns)
    return TableFile(path, _digest(path / _nats_folder.META), rows, rows.lines)


@lru_cache(maxsize=2)
def _read(path: Path, stamp: tuple[int, int], architecture: str, columns: tuple[tuple[str, str], ...]) -> TableFile:
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
    return TableFile(path, _digest(path), dict(zip(names, zip(*values, strict=True), strict=True)), lines)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _frame(path: Path) -> pandas.DataFrame:
    import pandas  # a second to import, so only where it is needed

    read: Callable[[Path], pandas.DataFrame] = pandas.read_parquet
    if ".csv" in path.suffixes:
        read = lambda path: pandas.read_csv(path, dtype=str, keep_default_na=False)  # noqa: E731
    try:
        return read(path)
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
    return [None if number != number else float(number) for number in numbers]
