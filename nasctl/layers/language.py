"""The recurrent language model around any recurrent layer: embedding, dropouts, layers, tied decoder.

Merity et al. 2018, https://arxiv.org/abs/1708.02182, section 4; the cell spaces use it as Liu et al. 2019,
https://arxiv.org/abs/1806.09055, appendix A.3.1, do. Everything is time-major: T time steps, B parallel columns
of text, H units, V words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol

import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from nasctl import task_kinds
from nasctl.core import Task, TextSegment
from nasctl.errors import RequestError
from nasctl.task_kinds import TEXT

Share = Annotated[float, Field(ge=0, lt=1)]
State = Tensor | tuple[Tensor, ...]
"""What a layer carries from one time step to the next: ``(B, H)``, or one such tensor for each of its states."""

Hidden = list[State]
"""The state of every layer."""


class LanguageModelOutput(NamedTuple):
    """What a language model returns for ``(T, B)`` tokens."""

    logits: Tensor  # (T * B, V), of the next token
    hidden: Hidden  # after the last token
    dropped: Tensor  # (T, B, H), the last layer's output after its dropout
    raw: Tensor  # (T, B, H), the same before it


class Recurrent(Protocol):
    """A recurrent layer, an ``nn.Module``; in a supernet its call also takes the choice of what runs."""

    units: int  # of its output
    macs: int  # multiply-accumulates of one token

    def __call__(self, x: Tensor, state: Any, *choice: Any) -> tuple[Tensor, Any]:
        """Map ``(T, B, inputs)`` and the state before it to ``(T, B, units)`` and the state after it."""

    def init_hidden(self, batch: int) -> Any:
        """Return the state of zeros for ``batch`` columns."""


@dataclass(frozen=True)
class Dropouts:
    """Shares that are dropped while training; each mask holds for all time steps of a call."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    words: Share  # words of the vocabulary, wherever they occur
    input: Share  # units of a word's vector
    layer: Share  # units between two layers
    output: Share  # units of the last layer's output


class Language(nn.Module):
    """Embedding, recurrent ``layers`` and a decoder with the embedding's weights; returns a `LanguageModelOutput`.

    ``embedding`` is the number of units of a word and must be that of the last layer's output; the weights start
    uniform in ``[-init_range, init_range]``. ``bias`` is the decoder's. What follows ``hidden`` in a call is passed
    to every layer.
    """

    tied = frozenset({"embedding"})  # weights that are read in two places: of a word, and of the decoder

    def __init__(
        self,
        layers: Sequence[nn.Module],
        task: Task,
        embedding: int,
        dropouts: Dropouts,
        init_range: float,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.dropouts = dropouts
        if self._layers[-1].units != embedding:
            raise RequestError(
                f"space: the decoder shares the embedding's weights, so its {embedding} units must be the last "
                f"layer's, which has {self._layers[-1].units}; set them equal"
            )
        self.embedding = nn.Parameter(torch.empty(task.num_outputs, embedding).uniform_(-init_range, init_range))
        self.bias = nn.Parameter(torch.zeros(task.num_outputs)) if bias else None

    @property
    def _layers(self) -> list[Any]:
        return list(self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one token: of the layers and of the decoder."""
        number: int = sum(layer.macs for layer in self._layers) + self.embedding.numel()
        return number

    def init_hidden(self, batch: int) -> Hidden:
        """Return the state of zeros that a text begins with, for ``batch`` columns."""
        return [layer.init_hidden(batch) for layer in self._layers]

    def forward(self, tokens: Tensor, hidden: Hidden, *choice: Any) -> LanguageModelOutput:
        """Map tokens ``(T, B)`` and the state before them to the logits of the tokens that follow each."""
        x = self._locked(self._embedded(tokens), self.dropouts.input)
        after: Hidden = []
        raw = x
        for i, (layer, state) in enumerate(zip(self._layers, hidden, strict=True)):
            raw, state = layer(x, state, *choice)
            after.append(state)
            x = self._locked(raw, self.dropouts.layer if i + 1 < len(self.layers) else self.dropouts.output)
        return LanguageModelOutput(F.linear(x.flatten(0, 1), self.embedding, self.bias), after, x, raw)

    def read(self, segment: TextSegment, *choice: Any) -> Tensor:
        """Return the logits of a segment, and store the state after it and the outputs in it."""
        if self.training:
            torch.manual_seed(segment.seed)
        output = Language.forward(self, segment.tokens, segment.hidden, *choice)
        segment.after, segment.outputs = output.hidden, output.raw
        return output.logits

    def _embedded(self, tokens: Tensor) -> Tensor:
        vectors = F.embedding(tokens, self.embedding)
        if not (self.training and self.dropouts.words):
            return vectors
        return vectors * kept(self.embedding[:, :1], self.dropouts.words)[tokens]

    def _locked(self, x: Tensor, share: float) -> Tensor:
        """Drop the same ``share`` of the units at all time steps of ``x`` ``(T, B, H)``."""
        return x * kept(x[:1], share) if self.training and share else x


def kept(like: Tensor, share: float) -> Tensor:
    """Return a mask of the shape of ``like``: 0 for a random ``share``, and what keeps the mean for the rest."""
    return torch.empty_like(like, requires_grad=False).bernoulli_(1 - share).div_(1 - share)


def check_task(task: Task, space: str) -> None:
    """Raise `RequestError` unless the data set is of text."""
    task_kinds.check(task, (TEXT,), f"space={space} builds language models", ", or a space for that task")
