"""The network of a macro genotype: stem, layers with skips between them, two reductions, classifier.

Pham et al. 2018, https://arxiv.org/abs/1802.03268, section 2.3, in the two forms of its released code. While
searching, a layer *adds* the maps that it joins and norms the sum, so its shape does not depend on them. The
network that is retrained *concatenates* them and brings them to the layer's channels by a 1x1 convolution, its
operations begin with ReLU, and its channels double where the map halves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from pydantic import ConfigDict, PositiveInt
from torch import Tensor, nn

from nasctl.core import Genotype, Task
from nasctl.layers.blocks import ConvBN, HalveBN, ReLUConvBN
from nasctl.layers.depthwise import Depthwise
from nasctl.layers.norm import Norm


@dataclass(frozen=True)
class Form:
    """Size and shape.

    ``combine``: how a layer joins earlier maps; ``double``: channels double where the map halves; ``separable``:
    whether the separable convolutions are that, and not ordinary ones as in the final network of the released code.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    channels: PositiveInt
    combine: Literal["add", "concatenate"]
    double: bool
    separable: bool


Core = Callable[[int, bool], nn.Sequential]
"""(channels, separable) -> what follows the 1x1 convolution with which every operation begins."""


def _pool(make: Callable[[], nn.Module]) -> Core:
    return lambda channels, separable: nn.Sequential(make())


def _conv(kernel: int) -> Core:
    return lambda channels, separable: ConvBN(channels, channels, kernel)


def _sep_conv(kernel: int) -> Core:
    def build(channels: int, separable: bool) -> nn.Sequential:
        if not separable:
            return ConvBN(channels, channels, kernel)
        return nn.Sequential(Depthwise(channels, kernel, 1, 1), *ConvBN(channels, channels, 1))

    return build


CORES: Mapping[str, Core] = {
    "conv_3x3": _conv(3),
    "sep_conv_3x3": _sep_conv(3),
    "conv_5x5": _conv(5),
    "sep_conv_5x5": _sep_conv(5),
    "avg_pool_3x3": _pool(lambda: nn.AvgPool2d(3, 1, padding=1, count_include_pad=False)),
    "max_pool_3x3": _pool(lambda: nn.MaxPool2d(3, 1, padding=1)),
}


def operation(name: str, channels: int, form: Form) -> nn.Sequential:
    """Return an operation ``(n, c, h, w) -> (n, c, h, w)``; a ReLU follows each norm, or goes before each weight."""
    first, core = ConvBN(channels, channels, 1), CORES[name](channels, form.separable)
    relu = [nn.ReLU()] if isinstance(core[-1], Norm) else []  # a pooling has none of its own
    if form.combine == "concatenate":
        return nn.Sequential(nn.ReLU(), *first, *relu, *core)
    return nn.Sequential(*first, nn.ReLU(), *core, *relu)


class Add(nn.Module):
    """The norm of the sum of the maps, each ``(n, c, h, w)``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = Norm(channels)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        outputs: Tensor = self.norm(sum(maps[1:], maps[0]))
        return outputs


class Concatenate(nn.Module):
    """A 1x1 convolution of ``count`` maps ``(n, c, h, w)`` side by side, back to ``(n, c, h, w)``."""

    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        self.conv = ReLUConvBN(count * channels, channels, 1, 1, affine=True)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        outputs: Tensor = self.conv(torch.cat(list(maps), dim=1))
        return outputs


class Layer(nn.Module):
    """One of several operations on the last map, then the join with earlier ones; the first layer has nothing to join.

    ``joined`` is the number of maps that are concatenated; what is added may be any number.
    """

    def __init__(self, names: Sequence[str], channels: int, joined: int, form: Form, first: bool) -> None:
        super().__init__()
        self.operations = nn.ModuleDict({name: operation(name, channels, form) for name in names})
        self.join: nn.Module | None = None
        if not first:
            self.join = Add(channels) if form.combine == "add" else Concatenate(channels, joined + 1)

    def forward(self, x: Tensor, name: str, maps: Sequence[Tensor]) -> Tensor:
        y = self.operations[name](x)
        outputs: Tensor = y if self.join is None else self.join([*maps, y])
        return outputs


def reductions(layers: int) -> tuple[int, int]:
    """Return the layers after which the map is halved, at a third and two thirds of the depth."""
    return layers // 3 - 1, 2 * (layers // 3) - 1


class Skeleton(nn.Module):
    """Layers that hold some operations each; ``run`` takes one of each. ``joined`` counts the maps that they join.

    A reduction halves all maps so far, each by weights of its own; only those that are read later are computed.
    """

    def __init__(self, names: Sequence[Sequence[str]], joined: Sequence[int], task: Task, form: Form) -> None:
        super().__init__()
        channels = form.channels
        self.stem = ConvBN(task.input_shape[0], channels, 3)
        self.layers, self.reductions = nn.ModuleList(), nn.ModuleDict()
        for i, (options, count) in enumerate(zip(names, joined, strict=True)):
            self.layers.append(Layer(options, channels, count, form, first=i == 0))
            if i in reductions(len(names)):
                wider = channels * 2 if form.double else channels
                self.reductions[str(i)] = nn.ModuleList(HalveBN(channels, wider) for _ in range(i + 2))
                channels = wider
        self.dropout = nn.Dropout(0.0)
        self.classifier = nn.Linear(channels, task.num_outputs, bias=False)

    def run(self, x: Tensor, genotype: Genotype) -> Tensor:
        """Map images ``(n, c, h, w)`` to logits ``(n, outputs)``."""
        skips = genotype["skips"]
        maps = [self.stem(x)]
        for i, (layer, name) in enumerate(zip(self.layers, genotype["operations"], strict=True)):
            maps.append(layer(maps[-1], name, [maps[k] for k in skips[i]]))
            if str(i) in self.reductions:
                maps = self._reduced(i, maps, {k for joined in skips[i + 1 :] for k in joined})
        outputs: Tensor = self.classifier(self.dropout(maps[-1].mean((2, 3))))
        return outputs

    def _reduced(self, i: int, maps: list[Tensor], read: set[int]) -> list[Tensor]:
        halves: Any = self.reductions[str(i)]
        return [halves[k](y) if k in read or k == i + 1 else y for k, y in enumerate(maps)]


class Network(Skeleton):
    """The stand-alone network of a genotype."""

    def __init__(self, genotype: Genotype, task: Task, form: Form) -> None:
        super().__init__([[name] for name in genotype["operations"]], list(map(len, genotype["skips"])), task, form)
        self.genotype = genotype

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, self.genotype)
