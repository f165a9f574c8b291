"""Residual networks for small images, hand-made: a baseline whose depth and width can be varied.

He et al. 2016, https://arxiv.org/abs/1512.03385, section 4.2: three stages of n blocks of two 3x3 convolutions,
6n + 2 layers in all, with shortcuts without weights (option A).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from pydantic import ConfigDict, PositiveInt, StrictInt, TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from nasctl import task_kinds
from nasctl.core import Architecture, Candidate, Decision, Genotype, Remark, State, Task, ignore
from nasctl.errors import RequestError
from nasctl.space import _count, _literal, _numbers
from nasctl.space._blocks import DropPath
from nasctl.space._forms import resize
from nasctl.space._mixture import Terms, terms
from nasctl.space._shared import OneText, Priced, RelaxedDecisions
from nasctl.task_kinds import IMAGES

DEEPEST = 1000  # blocks of a stage; the deepest one published has 200
STAGES = 3  # the map halves and the channels double between stages
_BLOCKS = TypeAdapter(list[StrictInt])


@dataclass(frozen=True)
class Form:
    """Size: channels of the first stage, scale and shift in the norms."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    channels: PositiveInt
    affine: bool


class Block(nn.Module):
    """Two convolutions and the shortcut: ``(n, c_in, h, w) -> (n, c_out, h / stride, w / stride)``."""

    def __init__(self, c_in: int, c_out: int, stride: int, affine: bool, drop_path: DropPath) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out, affine=affine),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(c_out, affine=affine),
        )
        self.stride, self.more, self.drop_path = stride, c_out - c_in, drop_path

    def forward(self, x: Tensor) -> Tensor:
        shortcut = pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))  # new channels are zero
        return relu(shortcut + self.drop_path(self.residual(x)))


class Skeleton(nn.Module):
    """Stem, three stages of so many ``blocks``, classifier."""

    def __init__(self, blocks: Sequence[int], task: Task, form: Form) -> None:
        super().__init__()
        self.drop_path = DropPath()
        widths = [form.channels * 2**stage for stage in range(STAGES)]
        self.stem = nn.Sequential(
            nn.Conv2d(task.input_shape[0], widths[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(widths[0], affine=form.affine),
            nn.ReLU(),
        )
        self.stages = nn.ModuleList(
            nn.ModuleList(self._block(widths, stage, i, form.affine) for i in range(count))
            for stage, count in enumerate(blocks)
        )
        self.classifier = nn.Linear(widths[-1], task.num_outputs)

    def _block(self, widths: Sequence[int], stage: int, i: int, affine: bool) -> Block:
        halves = stage > 0 and i == 0
        c_in = widths[stage - 1] if halves else widths[stage]
        return Block(c_in, widths[stage], 2 if halves else 1, affine, self.drop_path)

    def run(self, x: Tensor, mixtures: Sequence[Terms]) -> Tensor:
        """Map images ``(n, c, h, w)`` to logits ``(n, outputs)``; option k of a stage is its first k + 1 blocks."""
        x = self.stem(x)
        for blocks, mixture in zip(self.stages, mixtures, strict=True):
            x = _stage(x, blocks, dict(mixture))  # type: ignore[arg-type]
        return self.classifier(x.mean((2, 3)))


def _stage(x: Tensor, blocks: Sequence[nn.Module], weights: Mapping[int, Tensor | None]) -> Tensor:
    """Return the weighted sum of the maps after the blocks that ``weights`` names; later blocks do not run."""
    parts: list[Tensor] = []
    for k in range(max(weights) + 1):
        x = blocks[k](x)
        if k in weights:
            weight = weights[k]
            parts.append(x if weight is None else weight * x)
    return sum(parts[1:], parts[0])


class Network(Skeleton):
    """The stand-alone network of a genotype."""

    def __init__(self, genotype: Genotype, task: Task, form: Form) -> None:
        super().__init__(genotype["blocks"], task, form)
        self.path: list[Terms] = [[(count - 1, None)] for count in genotype["blocks"]]

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, self.path)


class Supernet(Skeleton):
    """The deepest network, of whose stages a candidate runs the first blocks: ``forward(x, candidate) -> logits``."""

    def __init__(self, deepest: int, task: Task, form: Form) -> None:
        super().__init__([deepest] * STAGES, task, form)

    def forward(self, x: Tensor, candidate: Candidate) -> Tensor:
        return self.run(x, terms(candidate, list))

    def subnet_state(self, genotype: Genotype) -> State:
        """Return the shared weights of ``genotype`` under the names of its network of the form ``search``."""
        used = {(str(stage), str(i)) for stage, count in enumerate(genotype["blocks"]) for i in range(count)}
        names = {name: tuple(name.split(".")[1:3]) for name in self.state_dict()}
        return {k: v for k, v in self.state_dict().items() if not k.startswith("stages.") or names[k] in used}


class ResNet(RelaxedDecisions, Priced, OneText):
    """1 to ``deepest`` blocks in each of three stages: decisions and relaxed choices are the stages' depths."""

    family = "resnet"
    marks: tuple[str, ...] = ()

    def __init__(self, task: Task, *, deepest: PositiveInt, search: Form, final: Form) -> None:
        task_kinds.check(task, (IMAGES,), "space=resnet builds image classifiers", " or a space for that task")
        self.task, self.deepest = task, deepest
        self.forms = {"search": search, "final": final}
        depths = tuple(str(count) for count in range(1, deepest + 1))
        self.decisions = tuple(Decision(f"stage {stage}", "depth", depths) for stage in range(1, STAGES + 1))
        self.num_operations = 1  # the residual block

    def genotype(self, arch: Architecture) -> Genotype:
        return {"blocks": [option + 1 for option in arch]}

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        """Read the blocks of the three stages, as in ``3-3-3`` or ``[3, 3, 3]``."""
        plain = _numbers.unquoted(text)
        if plain[:1] in ("[", "(") and _numbers.is_row(plain):
            return self.check({"blocks": _numbers.read(plain)})
        if not re.fullmatch(r"[0-9]+-[0-9]+-[0-9]+", plain):
            raise RequestError(
                f"genotype text: {_literal.shown(text)} is not of the form 3-3-3, blocks of each stage; correct it"
            )
        return self.check({"blocks": [_numbers.number(count) for count in plain.split("-")]})

    def notation(self, genotype: Genotype) -> str:
        return "-".join(map(str, genotype["blocks"]))

    def check(self, genotype: Genotype) -> Genotype:
        try:
            blocks = _BLOCKS.validate_python(genotype["blocks"])
        except (KeyError, TypeError, ValidationError) as error:
            raise RequestError(
                f"genotype: blocks must list {STAGES} numbers, which {_literal.shown(genotype)} does not; correct it"
            ) from error
        if len(blocks) != STAGES or min(blocks) < 1 or max(blocks) > DEEPEST:
            raise RequestError(
                f"genotype: blocks={_literal.shown(blocks)} must be {STAGES} numbers from 1 to {DEEPEST}; correct the "
                "list"
            )
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {"skip_connections": sum(genotype["blocks"])}

    def graph(self, genotype: Genotype) -> Mapping[str, Sequence[tuple[str, str, str]]]:
        return {
            f"stage {stage}": [
                (str(i), str(i + 1), name) for i in range(count) for name in ("two conv_3x3", "skip_connect")
            ]
            for stage, count in enumerate(genotype["blocks"], start=1)
        }

    def build(self, genotype: Genotype, form: str, **size: int) -> Network:
        return Network(genotype, self.task, resize(self.forms[form], size))

    def supernet(self, **size: int) -> Supernet:
        return Supernet(self.deepest, self.task, resize(self.forms["search"], size))

    def price(self, genotype: Genotype) -> Mapping[str, int]:
        return self.count(_count.on_meta(partial(Network, genotype, self.task, self.forms["final"])))
