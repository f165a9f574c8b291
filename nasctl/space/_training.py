"""A space composed with training choices: decisions that name settings of the trainer, before those of the network.

Dong et al. 2020, https://arxiv.org/abs/2006.03656, search hyper-parameters and architecture together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any

from torch import nn

from nasctl.core import (
    Architecture,
    ChoicesByKind,
    Decision,
    FixedChoices,
    Genotype,
    TabularState,
    TrainableSpace,
)
from nasctl.errors import RequestError

Value = int | float | str | bool | None
TOGETHER = 1024  # combinations of settings that are all tried out


def check_choices(choices: Mapping[str, Sequence[Value]]) -> None:
    """Raise `RequestError` unless each setting has different options."""
    for name, values in choices.items():
        if not values or len(set(map(repr, values))) < len(values):
            raise RequestError(
                f"training_choices.{name}={list(values)}: needs different values to choose from; list each once"
            )
        if name == "epochs":
            raise RequestError(
                "training_choices.epochs: a search trains each candidate for estimator.epochs; leave it out, and let a "
                "strategy with fidelities stop candidates early"
            )


class TrainingChoices:
    """``space`` with one decision more for each of ``choices``, values by the trainer's setting.

    An architecture begins with the options of these decisions. Genotype, notation and costs are of the network alone.
    """

    def __init__(self, space: TrainableSpace, choices: Mapping[str, Sequence[Value]]) -> None:
        check_choices(choices)
        self.space, self.choices = space, choices
        self.format, self.num_operations = space.format, space.num_operations
        self.own = tuple(
            Decision(f"trainer.{name}", f"training {name}", tuple(map(_text, values)))
            for name, values in choices.items()
        )
        if isinstance(space, ChoicesByKind):
            self.kinds: Sequence[Decision] = (*self.own, *space.kinds)

    @property
    def size(self) -> int | None:
        return None if self.space.size is None else self.space.size * prod(len(own.options) for own in self.own)

    def decision(self, prefix: Sequence[int]) -> Decision | None:
        if len(prefix) < len(self.own):
            return self.own[len(prefix)]
        decision = self.space.decision(self._network(prefix))
        return None if decision is None else self._moved(decision)

    def _moved(self, decision: Decision) -> Decision:
        """Return a decision of the network, whose inputs are earlier decisions by position."""
        return replace(decision, inputs=tuple(i + len(self.own) if i >= 0 else i for i in decision.inputs))

    def complete(self, prefix: Sequence[int]) -> bool:
        return len(prefix) >= len(self.own) and self.space.complete(self._network(prefix))

    def _network(self, arch: Sequence[int]) -> Architecture:
        """Return the part of an architecture that is the network's."""
        return tuple(arch[len(self.own) :])

    def training(self, arch: Architecture) -> Mapping[str, Value]:
        """Return the settings of the trainer that an architecture names."""
        return {name: values[option] for (name, values), option in zip(self.choices.items(), arch, strict=False)}

    def trainings(self) -> Iterator[Mapping[str, Value]]:
        """Yield all combinations of settings; of very many, each value once."""
        if prod(len(values) for values in self.choices.values()) <= TOGETHER:
            yield from (dict(zip(self.choices, values, strict=True)) for values in product(*self.choices.values()))
        else:
            yield from ({name: value} for name, values in self.choices.items() for value in values)

    def genotype(self, arch: Architecture) -> Genotype:
        return self.space.genotype(self._network(arch))

    def cost(self, genotype: Genotype, name: str) -> float:
        return self.space.cost(genotype, name)

    def count(self, network: nn.Module) -> Mapping[str, int]:
        return self.space.count(network)

    def build(self, genotype: Genotype, form: str, **size: int) -> nn.Module:
        return self.space.build(genotype, form, **size)


class FixedTrainingChoices(TrainingChoices):
    """The same for a space whose walks take all decisions."""

    def __init__(self, space: Any, choices: Mapping[str, Sequence[Value]]) -> None:
        super().__init__(space, choices)
        self.decisions = (*self.own, *map(self._moved, space.decisions))


class TabularTrainingChoices(TrainingChoices):
    """The same for a space with states for tabular learners."""

    def __init__(self, space: Any, choices: Mapping[str, Sequence[Value]]) -> None:
        super().__init__(space, choices)
        self._state = space.state

    def state(self, prefix: Sequence[int]) -> Any:
        if len(prefix) < len(self.own):
            return tuple(prefix)
        return (*prefix[: len(self.own)], self._state(self._network(prefix)))


def with_training(space: TrainableSpace, choices: Mapping[str, Sequence[Value]]) -> Any:
    """Return ``space`` composed with training choices."""
    if isinstance(space, FixedChoices):
        return FixedTrainingChoices(space, choices)
    return (
        TabularTrainingChoices(space, choices) if isinstance(space, TabularState) else TrainingChoices(space, choices)
    )


def _text(value: Value) -> str:
    """Return a value as a command line has it."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
