"""Recurrent language models made by hand, whose only choice is how deep they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, ClassVar

from torch import nn

from nasctl.core import Architecture, Decision, Genotype, Remark, Task, ignore
from nasctl.errors import RequestError
from nasctl.space import _count, _literal, _numbers
from nasctl.space._forms import resize
from nasctl.space._language import Language, check_task
from nasctl.space._shared import FixedWalk, OneText

DEEPEST = 1000  # of what anybody can have meant; more is built for minutes before it fails


class ByHand(FixedWalk, OneText):
    """1 to ``deepest`` of what a family calls ``unit``; the genotype is that number, of any size.

    A search can only compare depths, each trained by itself; nothing is shared. ``network`` builds the language
    model of a depth in a form.
    """

    family: str
    unit: ClassVar[str]
    operation: ClassVar[str]
    published: ClassVar[str]  # an architecture that ships
    marks: tuple[str, ...] = ()
    num_operations = 1

    def __init__(
        self, task: Task, deepest: int, forms: Mapping[str, Any], network: Callable[[int, Task, Any], Language]
    ) -> None:
        check_task(task, self.family)
        self.task, self.forms, self.network = task, forms, network
        self.decisions = (Decision(self.unit, self.unit, tuple(str(depth) for depth in range(1, deepest + 1))),)
        self._cost = lru_cache(maxsize=256)(self._count)

    def genotype(self, arch: Architecture) -> Genotype:
        return {self.unit: arch[0] + 1}

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        """Read a number."""
        if not text.strip().isdecimal():
            raise RequestError(
                f"genotype text: {_literal.shown(text)} is not a number of {self.unit}, such as 3; correct it"
            )
        return self.check({self.unit: _numbers.number(text.strip())})

    def notation(self, genotype: Genotype) -> str:
        return str(genotype[self.unit])

    def check(self, genotype: Genotype) -> Genotype:
        depth = genotype.get(self.unit)
        if type(depth) is not int or depth < 1:
            raise RequestError(
                f"genotype: {_literal.shown(dict(genotype))} does not give {self.unit} as a number of 1 or more; "
                "correct it"
            )
        if depth > DEEPEST:
            raise RequestError(f"genotype: {self.unit}={depth} is more than {DEEPEST}; correct it")
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {}

    def graph(self, genotype: Genotype) -> Mapping[str, Sequence[tuple[str, str, str]]]:
        return {"cell": [(str(i), str(i + 1), self.operation) for i in range(genotype[self.unit])]}

    def build(self, genotype: Genotype, form: str, **size: int) -> Language:
        return self.network(genotype[self.unit], self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> nn.Module:
        raise self._refusal()

    def _refusal(self) -> RequestError:
        return RequestError(
            f"space={self.family} is made by hand and shares no weights; name an architecture, as in "
            f"from={self.published}, or train each by estimator=from_scratch"
        )

    def cost(self, genotype: Genotype, name: str) -> float:
        """Return ``params``, or ``macs`` of one token."""
        return self._cost(json.dumps(genotype))[name]

    def count(self, network: nn.Module) -> Mapping[str, int]:
        return {"params": _count.params(network), "macs": network.macs}  # type: ignore[dict-item]

    def _count(self, genotype: str) -> Mapping[str, int]:
        return self.count(_count.on_meta(partial(self.build, json.loads(genotype), "final")))
