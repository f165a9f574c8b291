"""Image networks made by hand: stem, stages of blocks, classifier. The only choices are the stages' depths.

A space gives its `Parts` and inherits everything else: the shared weights of all depths, their mixture and the costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from nasctl.core import Architecture, Candidate, Decision, Genotype, State, Task
from nasctl.genotype_format._stages import StagesFormat
from nasctl.layers.blocks import DropPath
from nasctl.layers.mixture import Terms, terms
from nasctl.space._forms import resize
from nasctl.space._shared import MetaCosts, RelaxedDecisions
from nasctl.space._task import check_images


@dataclass(frozen=True)
class Parts:
    """What builds the parts of a network in a form, in this order; ``block`` gets stage and position, from 0."""

    stem: Callable[[Task, Any], nn.Module]
    block: Callable[[Any, int, int, DropPath], nn.Module]
    classifier: Callable[[Task, Any], nn.Module]


class Skeleton(nn.Module):
    """Stem, stages of so many ``blocks``, classifier of the pooled map."""

    def __init__(self, parts: Parts, blocks: Sequence[int], task: Task, form: Any) -> None:
        super().__init__()
        self.drop_path = DropPath()
        self.stem = parts.stem(task, form)
        self.stages = nn.ModuleList(
            nn.ModuleList(parts.block(form, stage, i, self.drop_path) for i in range(count))
            for stage, count in enumerate(blocks)
        )
        self.classifier = parts.classifier(task, form)

    def run(self, x: Tensor, mixtures: Sequence[Terms]) -> Tensor:
        """Map images ``(n, c, h, w)`` to logits ``(n, outputs)``; option k of a stage is its first k + 1 blocks."""
        x = self.stem(x)
        for blocks, mixture in zip(self.stages, mixtures, strict=True):
            x = _stage(x, blocks, dict(mixture))  # type: ignore[arg-type]
        outputs: Tensor = self.classifier(x.mean((2, 3)))
        return outputs


def _stage(x: Tensor, blocks: Sequence[nn.Module], weights: Mapping[int, Tensor | None]) -> Tensor:
    """Return the weighted sum of the maps after the blocks that ``weights`` names; later blocks do not run."""
    found: list[Tensor] = []
    for k in range(max(weights) + 1):
        x = blocks[k](x)
        if k in weights:
            weight = weights[k]
            found.append(x if weight is None else weight * x)
    return sum(found[1:], found[0])


class Network(Skeleton):
    """The stand-alone network of a genotype."""

    def __init__(self, parts: Parts, genotype: Genotype, task: Task, form: Any) -> None:
        super().__init__(parts, genotype["blocks"], task, form)
        self.path: list[Terms] = [[(count - 1, None)] for count in genotype["blocks"]]

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, self.path)


class DeepestNetwork(Skeleton):
    """The deepest network, of whose stages a candidate runs the first blocks: ``forward(x, candidate) -> logits``."""

    def forward(self, x: Tensor, candidate: Candidate) -> Tensor:
        return self.run(x, terms(candidate, list))

    def subnet_state(self, genotype: Genotype) -> State:
        """Return the shared weights of ``genotype`` under the names of its network of the form ``search``."""
        used = {(str(stage), str(i)) for stage, count in enumerate(genotype["blocks"]) for i in range(count)}
        names = {name: tuple(name.split(".")[1:3]) for name in self.state_dict()}
        return {k: v for k, v in self.state_dict().items() if not k.startswith("stages.") or names[k] in used}


class StagesSpace(RelaxedDecisions, MetaCosts):
    """1 to ``deepest`` blocks in each stage: decisions and relaxed choices are the stages' depths."""

    num_operations = 1  # the block

    def __init__(
        self, task: Task, deepest: int, format: StagesFormat, forms: Mapping[str, Any], parts: Parts, halvings: int
    ) -> None:
        check_images(format.family, task, halvings)
        self.task, self.deepest, self.format, self.forms, self.parts = task, deepest, format, forms, parts
        depths = tuple(str(count) for count in range(1, deepest + 1))
        stages = range(1, format.stages + 1)
        self.decisions = tuple(Decision(f"stage {stage}", "depth", depths) for stage in stages)

    def genotype(self, arch: Architecture) -> Genotype:
        return {"blocks": [option + 1 for option in arch]}

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(self.parts, genotype, self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> DeepestNetwork:
        form = resize(self.forms["search"], size)
        return DeepestNetwork(self.parts, [self.deepest] * self.format.stages, self.task, form)
