"""Text of words in three files: the Penn Treebank as Mikolov et al. 2010 prepared it, and WikiText-2.

Mikolov et al. 2010, https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html; Merity et al. 2017,
https://arxiv.org/abs/1609.07843. A line is a sentence, blanks part its words, and its end counts as one more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

import torch
from pydantic import PositiveInt

from nasctl.dataset._corpus import Corpus, Sentence, digest_of, encode, tokens, vocabulary, with_unknown
from nasctl.dataset._download import PUBLISHED, TEXTS, Text, fetch
from nasctl.dataset._language import LanguageModelling, StepLengths
from nasctl.dataset._text_file import place_of, read_sentences
from nasctl.digest import Stamp, file_digest, stamp_of
from nasctl.errors import MissingDataError, RequestError

NAMINGS = {
    "train": ("ptb.train.txt", "wiki.train.tokens", "train.txt"),
    "val": ("ptb.valid.txt", "wiki.valid.tokens", "valid.txt"),
    "test": ("ptb.test.txt", "wiki.test.tokens", "test.txt"),
}
"""What the file of a part may be called; the first that is there is read."""


class PennTreebank(LanguageModelling):
    """The three files in ``root/folder``, named as any of `NAMINGS`.

    An empty line is a sentence without words, of which only the end is read, as in the published token counts.
    A word of validation or test that the training file lacks is a `RequestError` or, with
    ``unknown_words=unk``, read as ``<unk>``. With ``download`` the files of ``published`` are fetched where none
    is found, and kept if their checksum is right; otherwise a missing file is a `RequestError`.
    """

    def __init__(
        self,
        root: Path,
        device: torch.device,
        seed: int,
        *,
        folder: str,
        published: Literal["ptb", "wikitext2"],
        download: bool,
        unknown_words: Literal["error", "unk"],
        vocabulary: PositiveInt | None,
        bptt: PositiveInt,
        lengths: StepLengths,
        test_columns: PositiveInt | None,
        limit_train: PositiveInt | None,
        limit_val: PositiveInt | None,
        limit_test: PositiveInt | None,
    ) -> None:
        self.folder, self.published, self.download = Path(root, folder), PUBLISHED[published], download
        self.name = published
        self.unknown_words = unknown_words
        super().__init__(
            self._read_files,
            device,
            seed,
            vocabulary=vocabulary,
            bptt=bptt,
            lengths=lengths,
            test_columns=test_columns,
            limit_train=limit_train,
            limit_val=limit_val,
            limit_test=limit_test,
        )

    def _read_files(self) -> Corpus:
        paths = self._paths()
        return _corpus(tuple(map(stamp_of, paths.values())), tuple(paths.items()), self.name, self.unknown_words)

    def check_published(self, corpus: Corpus) -> None:
        """Raise `RequestError` if a part has another number of tokens than the text whose vocabulary is declared."""
        known = TEXTS[self.name]
        if self.vocabulary != known.vocabulary:
            return
        for part, path in self._paths().items():
            count, published = len(corpus.parts[part]), known.tokens[part]
            if count != published:
                raise RequestError(
                    f"{path}: has {count:,} tokens with sentence ends where the published text has {published:,}; put "
                    "the published file in its place, or set dataset.vocabulary=null to read another text"
                )

    def _paths(self) -> dict[str, Path]:
        """Return the file of each part, after a download if need be, or raise `RequestError`."""
        found = {part: self._find(names) for part, names in NAMINGS.items()}
        if self.download and None in found.values():
            fetch(self.published, self.folder)
            found = {part: self._find(names) for part, names in NAMINGS.items()}
        for part, path in found.items():
            if path is None:
                raise MissingDataError(
                    f"dataset: none of {', '.join(NAMINGS[part])} is in {self.folder}; put it there, set "
                    "dataset.folder or paths.data=DIR, or set dataset.download=true to fetch the published one"
                )
        return {part: path for part, path in found.items() if path is not None}

    def _find(self, names: tuple[str, ...]) -> Path | None:
        return next((self.folder / name for name in names if (self.folder / name).is_file()), None)


@lru_cache(maxsize=1)
def _corpus(
    stamps: tuple[Stamp, ...], paths: tuple[tuple[str, Path], ...], published: str, unknown_words: str
) -> Corpus:
    """Return the text of three files; a process reads files of the same stamps once."""
    _check_different(dict(paths))
    texts = {part: read_sentences(path) for part, path in paths}
    ids = vocabulary(texts["train"])
    if unknown_words == "unk":
        ids = with_unknown(ids)
    parts, facts = {}, {}
    for part, path in paths:
        parts[part], unknown = encode(texts[part], ids, partial(place_of, path))
        facts[part] = file_digest(path, "sha256")
        facts |= {f"{part}_unknown_words": f"{unknown} of {len(parts[part])}"} if unknown else {}
    facts["published"] = "yes" if _is_published(TEXTS[published], texts) else "no"
    return Corpus(list(ids), parts, facts)


def _is_published(known: Text, texts: Mapping[str, Sequence[Sentence]]) -> bool:
    """Return whether a text has the tokens of a published one, or as many and as many words where no hash is known."""
    written = {part: tokens(sentences) for part, sentences in texts.items()}
    if known.sha256 is not None:
        return all(digest_of(words) == known.sha256[part] for part, words in written.items())
    counts = {part: len(words) for part, words in written.items()}
    return counts == known.tokens and len(set(written["train"])) == known.vocabulary


def _check_different(paths: Mapping[str, Path]) -> None:
    """Raise `RequestError` if one file stands for two parts: it would be trained on and tested."""
    first: dict[str, Path] = {}
    for path in paths.values():
        other = first.setdefault(file_digest(path, "sha256"), path)
        if other != path:
            raise RequestError(f"{path}: holds the same as {other}; put the part there that its name says")
