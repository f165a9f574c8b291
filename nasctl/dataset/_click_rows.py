"""Lines of a click log as arrays, and which of their fields cannot be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from nasctl.dataset._fields import WIDTH, decimals, hexadecimals, not_hexadecimal, pad, words

NUMBERS = tuple(f"I{i}" for i in range(1, 14))
CATEGORIES = tuple(f"C{i}" for i in range(1, 27))
COLUMNS = ("label", *NUMBERS, *CATEGORIES)

_NEWLINE, _RETURN, _MINUS = b"\n\r-"
_POINT_ZERO = np.uint64(int.from_bytes(b".0", "little"))  # the end of 3.0, as some writers have integers
_INTEGER = re.compile(rb"-?[0-9]+(\.0)?")


@dataclass(frozen=True)
class Fields:
    """Where the fields of ``n`` lines start and end in ``text`` uint8, both int64 ``(columns, n)``."""

    text: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        values: np.ndarray = self.ends - self.starts
        return values

    def __len__(self) -> int:
        """Return the number of lines."""
        number: int = self.ends.shape[1]
        return number

    def __getitem__(self, columns: slice | list[int]) -> Self:
        """Return some of the columns."""
        return type(self)(self.text, self.starts[columns], self.ends[columns])

    def bytes(self, column: int, line: int) -> bytes:
        return self.text[self.starts[column, line] : self.ends[column, line]].tobytes()


@dataclass(frozen=True)
class Rows:
    """Lines as arrays, NaN or 0 where blank.

    ``labels`` uint8 ``(n,)``, ``numbers`` float64 ``(13, n)``, ``keys`` uint32 ``(26, n)``, and ``known`` bool
    ``(26, n)``: where a category is not blank.
    """

    labels: np.ndarray
    numbers: np.ndarray
    keys: np.ndarray
    known: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def keep(self, lines: np.ndarray) -> Self:
        """Return the lines where ``lines`` is true."""
        return self if lines.all() else type(self)(*(a[..., lines] for a in vars(self).values()))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the lines of several parts in their order."""
        return cls(*(np.concatenate(arrays, -1) for arrays in zip(*(vars(p).values() for p in parts), strict=True)))


def read(fields: Fields) -> tuple[Rows, np.ndarray]:
    """Return the lines whose columns are ``COLUMNS``, and where a field is wrong, bool ``(columns, n)``."""
    values, no_integer = integers(fields[: 1 + len(NUMBERS)])
    no_integer[0] |= ~np.isin(values[0], (0, 1))
    keys, known, no_key = categories(fields[1 + len(NUMBERS) :])
    return Rows((values[0] == 1).astype(np.uint8), values[1:], keys, known), np.concatenate([no_integer, no_key])


def categories(fields: Fields) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the keys of the fields, where one is not blank, and where one is no hexadecimal number."""
    lengths = fields.lengths
    characters = words(fields.text, fields.ends)
    other = np.flatnonzero(lengths != WIDTH)
    short = characters.ravel()[other]
    pad(short, lengths.ravel()[other])
    characters.ravel()[other] = short
    wrong = not_hexadecimal(characters)
    wrong |= lengths > WIDTH
    return hexadecimals(characters), lengths > 0, wrong


def integers(fields: Fields) -> tuple[np.ndarray, np.ndarray]:
    """Return the integers of the fields as float64, NaN where blank, and where a field holds none."""
    lengths = fields.lengths
    negative = (fields.text[fields.starts] == _MINUS) & (lengths > 0)
    digits = lengths - negative
    characters = words(fields.text, fields.ends)
    if (whole := (characters >> np.uint64(48) == _POINT_ZERO) & (digits > 2)).any():
        return integers(Fields(fields.text, fields.starts, fields.ends - 2 * whole))
    pad(characters, digits)
    found, wrong = decimals(characters)
    values = found.astype(np.float64)
    values[negative] *= -1
    values[lengths == 0] = np.nan
    wrong |= (digits > WIDTH) | (negative & (digits == 0))
    for column, line in np.argwhere(wrong):
        if _INTEGER.fullmatch(text := fields.bytes(column, line)):
            values[column, line], wrong[column, line] = float(text), False
    return values, wrong


def locate(text: bytes, separator: bytes, columns: int) -> Fields | None:
    """Return where the fields are if every line has ``columns`` of them, else None."""
    padded = np.frombuffer(bytes(WIDTH) + text, np.uint8)
    marks = np.flatnonzero((padded == separator[0]) | (padded == _NEWLINE))
    last = padded[marks] == _NEWLINE
    lines = np.count_nonzero(last)
    if len(marks) != lines * columns or not last[columns - 1 :: columns].all():
        return None
    starts = (np.concatenate([[WIDTH - 1], marks])[:-1] + 1).reshape(lines, columns).T
    ends = marks.reshape(lines, columns).T.copy()
    ends[-1] -= padded[ends[-1] - 1] == _RETURN
    return Fields(padded, starts, ends)
