"""A file of text as sentences: its encoding, its lines, and marks at the ends of sentences that it may hold already.

A line is what ends in a line feed, as the published token counts have it; form feeds, no-break spaces and Unicode's
own separators of lines and paragraphs part words as any blank does. `RequestError` names file, line and remedy.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path

from nasctl.dataset._corpus import END, Sentence
from nasctl.errors import RequestError

MARK = "\ufeff"  # of the byte order; inside a text it is left over from files that were joined
ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, with whose mark it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MANY = 10  # lines with words, from which on a word that all of them share at one end is taken for a mark
_MARK_LIKE = re.compile(r"</?\w+>|\[/?\w+\]")


def read_sentences(path: Path) -> list[Sentence]:
    """Return the words of each sentence, without the mark at its end."""
    lines = _lines(_text(path))
    if nul := next((i for i, line in enumerate(lines, start=1) if "\0" in line), None):
        raise RequestError(
            f"{path}, line {nul}: holds NUL, which is no text; convert the file to UTF-8 (UTF-16 without a mark at its "
            "beginning looks so) or fetch it again"
        )
    words = [line.split() for line in lines]
    if not any(words):
        raise RequestError(f"{path}: holds no words; fetch it again or name another dataset.folder")
    _check_marks(path, words)
    return [sentence for line in words for sentence in _sentences(line)]


def place_of(path: Path, sentence: int) -> str:
    """Return where a sentence stands, counted from 0, for error messages: a line may hold several."""
    ends = accumulate(len(_sentences(line.split())) for line in _lines(_text(path)))
    return f"{path}, line {next(number for number, end in enumerate(ends, start=1) if end > sentence)}"


def _text(path: Path) -> str:
    content = path.read_bytes()
    encoding = next((name for mark, name in ENCODINGS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding).replace(MARK, "")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{path}: is no {encoding.upper()} text ({error}); convert it to UTF-8 or fetch it again"
        ) from error


def _lines(text: str) -> list[str]:
    """Return the lines; a carriage return ends one only in a file that has no line feed."""
    lines = text.split("\n" if "\n" in text else "\r")
    return lines[: len(lines) - (not lines[-1])]


def _sentences(line: Sequence[str]) -> list[Sentence]:
    """Return the sentences of a line: the parts that `END` ends, and what follows the last one."""
    if END not in line:
        return [line]
    ends = [i for i, word in enumerate(line) if word == END]
    starts = [0, *(i + 1 for i in ends)]
    parts: list[Sentence] = [line[start:end] for start, end in zip(starts, ends, strict=False)]
    return parts if line[-1] == END else [*parts, line[starts[-1] :]]


def _check_marks(path: Path, lines: Sequence[Sentence]) -> None:
    """Raise `RequestError` where an end would count twice: by its line and by a mark that is no `END` of that line."""
    for number, (before, line) in enumerate(pairwise(lines), start=2):
        if list(line) == [END] and before and before[-1] != END:
            raise RequestError(
                f"{path}, line {number}: holds nothing but {END}, but the end of line {number - 1} counts as one; join "
                "the two lines"
            )
    written = [line for line in lines if line]
    for place, what in ((-1, "ends"), (0, "begins")):
        words = {line[place] for line in written}
        if len(written) >= MANY and len(words) == 1 and words != {END} and _MARK_LIKE.fullmatch(word := words.pop()):
            raise RequestError(
                f"{path}: every line {what} with {word!r}, which would count as a word beside the end of the line; "
                "remove it"
            )
