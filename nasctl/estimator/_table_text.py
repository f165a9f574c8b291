"""A table's CSV as columns of text, each field where the header says it belongs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from nasctl.core import RequestError

if TYPE_CHECKING:
    import pandas


def read_text(path: Path) -> pandas.DataFrame:
    """Return the fields of a CSV as text, by column.

    The header is read as a row like all others, since pandas would otherwise take the first column of rows that are
    longer than the header for an index, and rename a column whose name stands there twice. `RequestError` for
    either, and for a row that is shorter than the header.
    """
    import pandas  # a second to import, so only where it is needed

    frame = pandas.read_csv(path, dtype=str, keep_default_na=False, header=None, encoding=_encoding(path))
    names = frame.iloc[0]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise RequestError(f"{path}, row 1: two columns are named {repeated[0]!r}; rename one of them")
    short = frame.isna().any(axis=1)
    if short.any():
        row = int(short.to_numpy().argmax())
        count = int(frame.iloc[row].notna().sum())
        raise RequestError(f"{path}, row {row + 1}: has {count} fields where the header has {len(names)}; correct it")
    return frame[1:].set_axis(list(names), axis=1).reset_index(drop=True)


def _encoding(path: Path) -> str:
    """Return UTF-16 where a file begins with its mark, as some spreadsheets write it, else UTF-8."""
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
