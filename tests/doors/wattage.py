"""A resource of one's own, whose figures no second measurement repeats: they are kept in the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nasctl.core import Genotype, ResourceContext

MEASURED: list[str] = []
"""What was measured in this process, one after the other."""


class Wattage:
    """Counts up from one measurement to the next."""

    name, unit = "wattage", "mW"

    def __init__(self, context: ResourceContext, *, offset: float) -> None:
        self.device, self.offset = context.device, offset
        self.known: dict[str, float] = {}
        self.keep: Callable[[Mapping[str, Any]], None] = lambda record: None

    def __call__(self, genotype: Genotype) -> float:
        key = json.dumps(genotype)
        if key not in self.known:
            MEASURED.append(key)
            self.known[key] = self.offset + len(MEASURED)
            self.keep(self.record())
        return self.known[key]

    def facts(self, genotype: Genotype) -> Mapping[str, Any]:
        return {"offset": self.offset}

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        yield

    def record(self) -> Mapping[str, Any]:
        return {"known": dict(self.known)}

    def load(self, record: Mapping[str, Any]) -> None:
        self.known = dict(record["known"])
