"""A table's CSV as columns of text, each field where the header says it belongs."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from nasctl.errors import RequestError

if TYPE_CHECKING:
    import pandas

OPENERS: dict[str, Callable[..., IO[bytes]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}  # type: ignore[dict-item]
"""How a packed file is opened, by its suffix."""


def read_text(path: Path) -> pandas.DataFrame:
    """Return the fields of a CSV as text, by column.

    pandas' own reader takes the first column of rows that are longer than the header for an index, fills rows that
    are shorter with blanks, and renames a column whose name stands there twice; here each is a `RequestError`.
    """
    import pandas  # a second to import, so only where it is needed

    names, *rows = _rows(path)
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise RequestError(f"{path}, row 1: two columns are named {repeated[0]!r}; rename one of them")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            count = f"has {len(row)} fields where the header has {len(names)}"
            raise RequestError(f"{path}, row {number}: {count}; correct it or fetch the file again")
    return pandas.DataFrame(rows, columns=names, dtype=object)


def _rows(path: Path) -> list[list[str]]:
    """Return the header and the rows, blank lines left out."""
    with OPENERS.get(path.suffix, Path.open)(path, "rb") as file:
        content = file.read()
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    rows = [row for row in csv.reader(io.StringIO(text, newline=None), strict=True) if row]
    if not rows:
        raise ValueError("it is empty")
    return rows
