"""The macro space of ENAS: an operation for each layer, and which earlier maps are joined to its output.

Pham et al. 2018, https://arxiv.org/abs/1802.03268, section 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from nasctl.core import Architecture, Decision, Genotype, Task
from nasctl.errors import RequestError
from nasctl.genotype_format.enas_macro import OPERATIONS, SHALLOWEST, EnasMacroFormat
from nasctl.space._cell.choices import check_choices
from nasctl.space._forms import resize
from nasctl.space._shared import FixedWalk, MetaCosts
from nasctl.space._task import check_images
from nasctl.space.enas_macro.costs import network_cost
from nasctl.space.enas_macro.network import Form, Network
from nasctl.space.enas_macro.supernet import EnasMacroSupernet

SKIP = ("no", "yes")


class EnasMacro(FixedWalk, MetaCosts):
    """Networks of ``layers`` layers: 6^12 * 2^66, about 1.61e29 of them for the published 12.

    Layer i takes i + 1 decisions: its operation, and a skip bit for each map before its input. The input of a skip bit
    is the operation of the layer of its number, as in the released code. A genotype may have any depth from three
    layers on. It cannot be relaxed: which maps are joined cannot be mixed without running everything.
    """

    format = EnasMacroFormat()

    def __init__(
        self,
        task: Task,
        *,
        layers: Annotated[int, Field(ge=SHALLOWEST)],
        operations: list[str],
        search: Form,
        final: Form,
    ) -> None:
        check_images(self.format.family, task)
        check_choices("space.operations", operations, OPERATIONS, "ones")
        if search.combine != "add":
            raise RequestError(
                f"space.search.combine={search.combine}: shared weights need layers whose shape does not depend on "
                "what they join; set space.search.combine=add"
            )
        self.task, self.layers, self.operations = task, layers, tuple(operations)
        self.forms = {"search": search, "final": final}
        self.decisions = tuple(decision for layer in range(layers) for decision in self._layer(layer))
        self.num_operations = len(operations)

    def _layer(self, layer: int) -> list[Decision]:
        skips = (Decision(f"layer{layer}/skip{k}", "skip", SKIP, inputs=(_first(k),)) for k in range(layer))
        return [Decision(f"layer{layer}/operation", "operation", self.operations), *skips]

    def genotype(self, arch: Architecture) -> Genotype:
        rows = [arch[_first(layer) : _first(layer + 1)] for layer in range(self.layers)]
        return {
            "operations": [self.operations[row[0]] for row in rows],
            "skips": [[k for k, bit in enumerate(row[1:]) if bit] for row in rows],
        }

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype, self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> EnasMacroSupernet:
        return EnasMacroSupernet(
            self.operations, self.layers, self.task, resize(self.forms["search"], size), self.genotype
        )

    def costs(self, genotype: Genotype) -> Mapping[str, int]:
        return network_cost(genotype, self.task, self.forms["final"])


def _first(layer: int) -> int:
    """Return the position of a layer's first decision."""
    return layer * (layer + 1) // 2
