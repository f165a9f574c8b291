"""Word-level language modelling: the three parts of a text, cross entropy, and perplexity."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor
from torch.nn.functional import cross_entropy

from nasctl.core import Metrics, Task
from nasctl.dataset._corpus import Corpus, digest_of
from nasctl.dataset._tokens import FIXED, Lengths, TokenSplit, on_device
from nasctl.errors import RequestError
from nasctl.task_kinds import TEXT

_LARGEST = math.log(np.finfo(np.float64).max)  # of a loss whose perplexity is a number


class StepLengths(BaseModel, extra="forbid", frozen=True):
    """How many tokens the training steps of a search take at a time, and those of the final training."""

    search: Lengths
    final: Lengths


class LanguageModelling:
    """A `nasctl.core.Dataset` over a text of three parts.

    Inputs are tokens ``(T, B)``, targets the tokens that follow them, ``(T * B,)`` int64, time-major; outputs are
    logits ``(T * B, words)``. The parts are published ones: nothing trains on the validation part, and a held-out
    part is that one. Limits keep the first tokens of a part; the vocabulary is always that of the whole training
    part. ``vocabulary`` is the number of its words where that is known without reading, else None. ``read`` leaves
    it to the reader whether a text is one that it claims to be.
    """

    def __init__(
        self,
        read: Callable[[], Corpus],
        device: torch.device,
        seed: int,
        *,
        vocabulary: int | None,
        bptt: int,
        lengths: StepLengths,
        test_columns: int | None,
        limit_train: int | None,
        limit_val: int | None,
        limit_test: int | None,
    ) -> None:
        self._read, self.device, self.seed, self.vocabulary = read, device, seed, vocabulary
        self.bptt, self.lengths, self.test_columns = bptt, StepLengths.model_validate(lengths), test_columns
        self.limits = {"train": limit_train, "val": limit_val, "test": limit_test}

    @cached_property
    def task(self) -> Task:
        """What a space must know; ``num_outputs`` is read from the text where ``vocabulary`` does not say it."""
        return Task(TEXT, (self.bptt,), self.vocabulary or len(self.corpus.words))

    @cached_property
    def corpus(self) -> Corpus:
        """The text, read when it is first needed; `RequestError` if it is not the one that it should be."""
        corpus = self.text
        if self.vocabulary not in (None, len(corpus.words)):
            raise RequestError(
                f"dataset.vocabulary={self.vocabulary}, but the training part has {len(corpus.words)} words; set "
                f"dataset.vocabulary={len(corpus.words)} for this text, or put the published one in its place"
            )
        self.check_published(corpus)
        return corpus

    @cached_property
    def text(self) -> Corpus:
        """The text as it is, whatever it should be."""
        return self._read()

    def check_published(self, corpus: Corpus) -> None:
        """Raise `RequestError` if a text that is taken for a published one is another."""

    def train(self) -> TokenSplit:
        """Return the training part in steps of the lengths that a search takes."""
        return self._split("train", "train", self.lengths.search)

    def val(self) -> TokenSplit:
        """Return the validation part in steps of ``bptt``."""
        return self._split("val", "val", FIXED)

    def full(self) -> TokenSplit:
        """Return the training part in steps of the final training's lengths."""
        return self._split("train", "full", self.lengths.final)

    def held_out(self, share: float) -> tuple[TokenSplit, TokenSplit]:
        """Return what `full` returns, and the validation part, whatever the ``share``: it is held out anyway."""
        return self.full(), self.val()

    def test(self) -> TokenSplit:
        """Return the test part in steps of ``bptt`` and at most ``test_columns`` columns."""
        return self._split("test", "test", FIXED, self.test_columns)

    def _split(self, part: str, name: str, lengths: Lengths, columns: int | None = None) -> TokenSplit:
        return TokenSplit(self._tokens(part), self.seed, name, bptt=self.bptt, lengths=lengths, columns=columns)

    def _tokens(self, part: str) -> Tensor:
        if part not in self._on_device:
            self._on_device[part] = on_device(self.corpus.parts[part][: self.limits[part]], self.device)
        return self._on_device[part]

    @cached_property
    def _on_device(self) -> dict[str, Tensor]:
        return {}

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross entropy in nats a token."""
        return cross_entropy(outputs, targets)

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return the summed cross entropy."""
        return {"loss": cross_entropy(outputs, targets, reduction="sum")}

    def metrics(self, sums: Mapping[str, float], examples: int) -> Metrics:
        """Return ``loss`` in nats a token and ``perplexity``, its exponential; infinite where that is no number."""
        loss = sums["loss"] / examples
        return {"loss": loss, "perplexity": math.inf if loss > _LARGEST else math.exp(loss)}

    def fingerprint(self) -> Mapping[str, str]:
        """Return the sha256 of the text and of the vocabulary."""
        return {**self.text.facts, "vocabulary": digest_of(self.text.words)}
