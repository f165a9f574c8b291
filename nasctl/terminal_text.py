"""Text that somebody else wrote, made fit for terminals, tables and file names; nothing here imports the program."""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # controls, marks without a glyph, lone surrogates, line and paragraph ends
_FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"  # the last four are their full-width forms
_STEM = 100  # characters of a folder's name that a source gives


def shown(text: str) -> str:
    """Return ``text`` in one line, with characters that steer a terminal or hide written as escapes."""
    return text if text.isprintable() else "".join(map(_visible, text))


def shown_lines(text: str) -> str:
    """Return ``text`` like `shown`, but keep its line ends."""
    return "\n".join(map(shown, text.split("\n")))


def shown_json(text: str) -> str:
    r"""Return JSON with such characters written as ``\uXXXX``, which leaves the data as they are."""
    return "".join(_in_json(c) if c != "\n" and unicodedata.category(c) in _HIDDEN else c for c in text)


def csv_cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; numbers, and texts of numbers, stay."""
    if not isinstance(value, str):
        return value
    text = shown(value)
    return f"'{text}" if text[:1] in tuple(_FORMULA) and not _is_number(text) else text


def plot_label(text: str) -> str:
    """Return ``text`` for a plot, in which dollars would begin a formula of matplotlib."""
    return shown(text).replace("$", r"\$")


def folder_part(text: str) -> str:
    """Return ``text`` as a part of a folder's name: without separators or hidden characters, and not too long."""
    return re.sub(r"[/\\\0]", "_", shown(text))[:_STEM]


def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in _HIDDEN
    return character.encode("unicode_escape").decode() if hidden else character


def _in_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
