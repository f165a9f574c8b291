"""Text as word ids: the vocabulary of the training part, and the three parts written in it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nasctl.errors import RequestError

END, UNKNOWN = "<eos>", "<unk>"

Sentence = Sequence[str]
"""The words of a sentence without the mark at its end; none of an empty line."""

Place = Callable[[int], str]
"""The index of a sentence to where it stands, for error messages."""


@dataclass(frozen=True)
class Corpus:
    """Words by id, and the parts ``train``, ``val`` and ``test`` as ids ``(n,)`` int64.

    ``facts`` names the data by their sha256, and counts what a reader should know of.
    """

    words: Sequence[str]
    parts: Mapping[str, np.ndarray]
    facts: Mapping[str, str]


def tokens(sentences: Iterable[Sentence]) -> list[str]:
    """Return all words with the marks at the ends of sentences."""
    return [word for sentence in sentences for word in (*sentence, END)]


def vocabulary(sentences: Iterable[Sentence], min_count: int = 1) -> dict[str, int]:
    """Return the ids of the words that occur ``min_count`` times, in the order in which they first occur.

    The mark at the end of a sentence is among them.
    """
    counts = Counter(tokens(sentences))
    return {word: i for i, word in enumerate(w for w, count in counts.items() if count >= min_count or w == END)}


def with_unknown(ids: Mapping[str, int]) -> dict[str, int]:
    """Return ``ids`` with an id for words that are not among them, the last one if there is none yet."""
    return {**ids, UNKNOWN: ids.get(UNKNOWN, len(ids))}


def encode(sentences: Sequence[Sentence], ids: Mapping[str, int], place: Place) -> tuple[np.ndarray, int]:
    """Return the ids of all words and sentence ends, ``(n,)`` int64, and how many words got that of `UNKNOWN`.

    `RequestError` names the first unknown word if ``ids`` has no such id.
    """
    found = np.array([ids.get(word, -1) for word in tokens(sentences)], np.int64)
    unknown = found < 0
    if unknown.any():
        if UNKNOWN not in ids:
            raise _refusal(sentences, ids, place)
        found[unknown] = ids[UNKNOWN]
    return found, int(unknown.sum())


def _refusal(sentences: Sequence[Sentence], ids: Mapping[str, int], place: Place) -> RequestError:
    i, word = next((i, word) for i, sentence in enumerate(sentences) for word in sentence if word not in ids)
    return RequestError(
        f"{place(i)}: {word!r} is not a word of the training part; correct the text, or set "
        "dataset.unknown_words=unk to read such words as <unk>"
    )


def digest_of(words: Iterable[str]) -> str:
    """Return the sha256 of a vocabulary in the order of its ids."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()
