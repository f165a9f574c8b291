"""Text in lines of at most so many terminal cells: broken between words, and inside words that are longer."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\s*\S+\s*")


def lines(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of at most ``width`` cells, one at least."""
    found, used = [""], 0
    for word in _WORD.findall(text):
        length = cells(word.rstrip())
        if length > width:
            found += _folded(word, width)
            used = cells(found[-1])
        elif length > width - used and found[-1]:
            found.append(word)
            used = cells(word)
        else:
            found[-1] += word
            used += cells(word)
    return [line.rstrip() for line in found if line] or [""]


def padded(line: str, width: int) -> str:
    """Return ``line`` with blanks up to ``width`` cells."""
    return line + " " * (width - cells(line))


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _folded(word: str, width: int) -> list[str]:
    """Return a word in parts of at most ``width`` cells; a wider character is a part of its own."""
    parts, used = [""], 0
    for character in word:
        if used + _cells(character) > width and parts[-1]:
            parts.append("")
            used = 0
        parts[-1] += character
        used += _cells(character)
    return parts
