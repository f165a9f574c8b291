"""Recurrent language models made by hand, whose only choice is how deep they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from nasctl.core import Architecture, Decision, Genotype, Task
from nasctl.genotype_format._depth import DepthFormat
from nasctl.layers.language import Language, check_task
from nasctl.space import _count
from nasctl.space._forms import resize
from nasctl.space._shared import FixedWalk, MetaCosts


class DepthSpace(FixedWalk, MetaCosts):
    """1 to ``deepest`` of what a family calls its unit; the genotype is that number, of any size.

    A search can only compare depths, each trained by itself; nothing is shared. ``network`` builds the language
    model of a depth in a form.
    """

    num_operations = 1

    def __init__(
        self,
        task: Task,
        deepest: int,
        format: DepthFormat,
        forms: Mapping[str, Any],
        network: Callable[[int, Task, Any], Language],
    ) -> None:
        check_task(task, format.family)
        self.task, self.format, self.forms, self.network = task, format, forms, network
        depths = tuple(str(depth) for depth in range(1, deepest + 1))
        self.decisions = (Decision(format.unit, format.unit, depths),)

    def genotype(self, arch: Architecture) -> Genotype:
        return {self.format.unit: arch[0] + 1}

    def build(self, genotype: Genotype, form: str, **size: int) -> Language:
        return self.network(genotype[self.format.unit], self.task, resize(self.forms[form], size))

    def count(self, network: nn.Module) -> Mapping[str, int]:
        """Return ``params``, and ``macs`` of one token."""
        return _count.of_language(network)
