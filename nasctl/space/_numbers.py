"""Genotypes that are written as a row of numbers, as the released code of ENAS writes them.

Pham et al. 2018, https://arxiv.org/abs/1802.03268.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nasctl.core import RequestError


def read(text: str) -> list[int]:
    """Return the numbers of ``text``, separated by white space, or raise `RequestError` for anything else."""
    for word in text.split():
        if not re.fullmatch(r"[0-9]+", word):
            raise RequestError(f"genotype text: {word!r} is not a number; write numbers with spaces between them")
    return [int(word) for word in text.split()]


def name(place: str, number: int, names: Sequence[str]) -> str:
    """Return the operation that ``number`` stands for, or raise `RequestError`."""
    if number >= len(names):
        known = ", ".join(f"{i} {known}" for i, known in enumerate(names))
        raise RequestError(f"genotype text: {place} is operation {number}, which is none of {known}; correct it")
    return names[number]
