"""Text of words in three files: the Penn Treebank as Mikolov et al. 2010 prepared it, and WikiText-2.

Mikolov et al. 2010, https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html; Merity et al. 2017,
https://arxiv.org/abs/1609.07843. A line is a sentence, blanks part its words, and its end counts as one more.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from pydantic import PositiveInt

from nasctl.core import RequestError
from nasctl.dataset._corpus import Corpus, Sentence, encode, vocabulary, with_unknown
from nasctl.dataset._download import PUBLISHED, fetch
from nasctl.dataset._language import LanguageModelling, StepLengths

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
        texts = {part: _read(path) for part, path in paths.items()}
        ids = vocabulary(texts["train"])
        if self.unknown_words == "unk":
            ids = with_unknown(ids)
        parts, facts = {}, {}
        for part, path in paths.items():
            parts[part], unknown = encode(texts[part], ids, partial(_line, path))
            facts[part] = hashlib.sha256(path.read_bytes()).hexdigest()
            facts |= {f"{part}_unknown_words": f"{unknown} of {len(parts[part])}"} if unknown else {}
        return Corpus(list(ids), parts, facts)

    def _paths(self) -> dict[str, Path]:
        """Return the file of each part, after a download if need be, or raise `RequestError`."""
        found = {part: self._find(names) for part, names in NAMINGS.items()}
        if self.download and None in found.values():
            fetch(self.published, self.folder)
            found = {part: self._find(names) for part, names in NAMINGS.items()}
        for part, path in found.items():
            if path is None:
                raise RequestError(
                    f"dataset: none of {', '.join(NAMINGS[part])} is in {self.folder}; put it there, set "
                    "dataset.folder or paths.data=DIR, or set dataset.download=true to fetch the published one"
                )
        return {part: path for part, path in found.items() if path is not None}

    def _find(self, names: tuple[str, ...]) -> Path | None:
        return next((self.folder / name for name in names if (self.folder / name).is_file()), None)


def _line(path: Path, index: int) -> str:
    return f"{path}, line {index + 1}"


def _read(path: Path) -> list[Sentence]:
    """Return the words of each line, or raise `RequestError` for what is no text or holds no word."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise RequestError(f"{path}: is no UTF-8 text ({error}); convert it or fetch it again") from error
    sentences: list[Sentence] = [line.split() for line in lines[: len(lines) - (not lines[-1])]]
    if not any(sentences):
        raise RequestError(f"{path}: holds no words; fetch it again or name another dataset.folder")
    return sentences
