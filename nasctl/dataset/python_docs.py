"""The topics of Python's own help, which come with every interpreter (https://docs.python.org/3/library/pydoc.html)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, NonNegativeInt, PositiveInt

from nasctl.dataset._corpus import Corpus, Sentence, encode, vocabulary, with_unknown
from nasctl.dataset._language import LanguageModelling, StepLengths
from nasctl.errors import RequestError

Portion = Annotated[float, Field(gt=0, lt=1)]
_WORD = re.compile(r"\w+|[^\w\s]")  # a word or a mark


class PythonDocs(LanguageModelling):
    """Paragraphs in lower case, marks being words of their own; needs no file, ``root`` is not read.

    Whole topics are drawn with ``split_seed`` until ``test_portion`` of the text, then ``val_portion``, is reached.
    Words that the training topics have fewer than ``min_count`` times are read as ``<unk>`` in all parts. The text
    is that of the interpreter, whose version and sha256 the record has.
    """

    def __init__(
        self,
        root: Path,
        device: torch.device,
        seed: int,
        *,
        min_count: PositiveInt,
        val_portion: Portion,
        test_portion: Portion,
        split_seed: NonNegativeInt,
        bptt: PositiveInt,
        lengths: StepLengths,
        test_columns: PositiveInt | None,
        limit_train: PositiveInt | None,
        limit_val: PositiveInt | None,
        limit_test: PositiveInt | None,
    ) -> None:
        if val_portion + test_portion >= 1:
            raise RequestError(
                f"dataset: val_portion ({val_portion}) and test_portion ({test_portion}) leave nothing to train on; "
                "their sum must be below 1"
            )
        self.min_count, self.split_seed = min_count, split_seed
        self.portions = {"test": test_portion, "val": val_portion}
        super().__init__(
            lambda: self._written(topics()),
            device,
            seed,
            vocabulary=None,
            bptt=bptt,
            lengths=lengths,
            test_columns=test_columns,
            limit_train=limit_train,
            limit_val=limit_val,
            limit_test=limit_test,
        )

    def _written(self, text: Mapping[str, str]) -> Corpus:
        sentences = {name: _sentences(topic) for name, topic in text.items()}
        parts = {part: [s for name in names for s in sentences[name]] for part, names in self.draw(sentences).items()}
        ids = with_unknown(vocabulary(parts["train"], self.min_count))
        encoded = {part: encode(written, ids, str) for part, written in parts.items()}
        facts = {f"{part}_unknown_words": f"{unknown} of {len(found)}" for part, (found, unknown) in encoded.items()}
        facts["data"] = hashlib.sha256(json.dumps(dict(text), sort_keys=True).encode()).hexdigest()
        return Corpus(list(ids), {part: found for part, (found, _) in encoded.items()}, facts)

    def draw(self, sentences: Mapping[str, list[Sentence]]) -> dict[str, list[str]]:
        """Return the names of the topics of each part."""
        sizes = {name: sum(len(s) + 1 for s in found) for name, found in sentences.items()}
        left = [sorted(sizes)[i] for i in np.random.default_rng(self.split_seed).permutation(len(sizes))]
        parts: dict[str, list[str]] = {}
        for part, portion in self.portions.items():
            parts[part], wanted = [], portion * sum(sizes.values())
            while wanted > 0:
                parts[part].append(left.pop())
                wanted -= sizes[parts[part][-1]]
        return {"train": left, **parts}


def topics() -> Mapping[str, str]:
    """Return the topics' texts by name, or raise `RequestError` where the interpreter comes without them."""
    try:
        from pydoc_data.topics import topics as found
    except ImportError as error:
        raise RequestError(
            "dataset=python_docs: this Python comes without pydoc_data.topics; install the whole standard library "
            "or choose another data set"
        ) from error
    return found


def _sentences(text: str) -> list[Sentence]:
    """Return the words of each paragraph."""
    return [words for part in re.split(r"\n\s*\n", text.lower()) if (words := _WORD.findall(part))]
