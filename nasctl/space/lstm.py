"""LSTM language models, made by hand: the baseline of searched cells, plain or as AWD-LSTM.

Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735; stacked and dropped as by Merity et
al. 2018, https://arxiv.org/abs/1708.02182, sections 2 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from pydantic import ConfigDict, PositiveFloat, PositiveInt

from nasctl.core import Task
from nasctl.genotype_format.lstm import FORMAT
from nasctl.layers.language import Dropouts, Language, Share
from nasctl.layers.weight_drop import WeightDropLSTM
from nasctl.space._hand_made.depth import DepthSpace


@dataclass(frozen=True)
class Form:
    """Size: units of a word and of the last layer's output, and of the other layers; and what is dropped."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    embedding: PositiveInt
    units: PositiveInt
    init_range: PositiveFloat
    weight_dropout: Share
    dropouts: Dropouts


class Lstm(DepthSpace):
    """1 to ``deepest`` LSTM layers between the embedding and the decoder that shares its weights."""

    def __init__(self, task: Task, *, deepest: PositiveInt, search: Form, final: Form) -> None:
        super().__init__(task, deepest, FORMAT, {"search": search, "final": final}, network)


def network(layers: int, task: Task, form: Form) -> Language:
    """Return the language model of so many layers; those start as `torch.nn.LSTM` does."""
    units = [form.embedding, *[form.units] * (layers - 1), form.embedding]
    stack = [WeightDropLSTM(inputs, outputs, form.weight_dropout) for inputs, outputs in pairwise(units)]
    return Language(stack, task, form.embedding, form.dropouts, form.init_range)
