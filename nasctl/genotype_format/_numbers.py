"""Genotypes that are written as numbers, as the released code of ENAS writes and logs them.

Pham et al. 2018, https://arxiv.org/abs/1802.03268. Its logs have brackets around each row; lists and tuples of numbers
have commas.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nasctl.errors import RequestError
from nasctl.genotype_format import _literal

LONGEST = 9  # digits of a number; more would say nothing of a network

_PLAIN = re.compile(r"[0-9]+([\s,]+[0-9]+)*,?")
_ROW = re.compile(r"[\[(]([^\[\]()]*)[\])]")


def rows(text: str) -> list[list[int]]:
    """Return the numbers of each bracketed row, or those of a text without brackets as one row."""
    inner = text.strip()
    if inner[:2] in ("[[", "[(", "((", "(["):
        inner = inner[1:-1]  # a list of lists
    if not inner or inner[0] not in "[(":
        return [read(inner)] if inner else []
    if rest := _ROW.sub("", inner).strip(", \t\r\n"):
        raise RequestError(
            f"genotype text: {_literal.shown(rest.splitlines()[0])} is no row of numbers; write rows as [1 0 2]"
        )
    return [read(row) for row in _ROW.findall(inner)]


def is_row(text: str) -> bool:
    """Return whether ``text`` is nothing but numbers, in brackets or without."""
    inner = text.strip()
    if inner[:1] + inner[-1:] in ("[]", "()"):
        inner = inner[1:-1].strip()
    return _PLAIN.fullmatch(inner) is not None


def unquoted(text: str) -> str:
    """Return ``text`` without the quotes around it, alone or in a list of one."""
    inner = text.strip()
    for left, right in ("[]", "()"):
        if inner[:1] == left and inner[-1:] == right and inner[1:].lstrip()[:1] in ("'", '"'):
            inner = inner[1:-1].strip().removesuffix(",").strip()
    quote = inner[:1]
    whole = len(inner) > 1 and quote in ("'", '"') and inner[-1] == quote
    return inner[1:-1].strip() if whole else inner


def read(text: str) -> list[int]:
    """Return the numbers of ``text``, separated by white space or commas; `RequestError` for anything else."""
    words = text.strip().removeprefix("[").removeprefix("(").removesuffix("]").removesuffix(")").replace(",", " ")
    return [number(word) for word in words.split()]


def number(word: str) -> int:
    """Return the number that ``word`` writes, or raise `RequestError`."""
    if not re.fullmatch(r"[0-9]+", word):
        raise RequestError(
            f"genotype text: {_literal.shown(word)} is not a number; write numbers with spaces between them"
        )
    if len(word) > LONGEST:
        raise RequestError(f"genotype text: {_literal.shown(word)} is too large a number; correct it")
    return int(word)


def name(place: str, number: int, names: Sequence[str]) -> str:
    """Return the operation that ``number`` stands for, or raise `RequestError`."""
    if number >= len(names):
        known = ", ".join(f"{i} {known}" for i, known in enumerate(names))
        raise RequestError(f"genotype text: {place} is operation {number}, which is none of {known}; correct it")
    return names[number]
