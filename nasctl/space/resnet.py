"""Residual networks for small images, made by hand: a baseline whose depth and width can be varied.

He et al. 2016, https://arxiv.org/abs/1512.03385, section 4.2: three stages of n blocks of two 3x3 convolutions,
6n + 2 layers in all, with shortcuts without weights (option A).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from nasctl.core import Task
from nasctl.genotype_format.resnet import FORMAT
from nasctl.layers.blocks import DropPath
from nasctl.space._hand_made.stages import Parts, StagesSpace


@dataclass(frozen=True)
class Form:
    """Size: channels of the first stage, scale and shift in the norms."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    channels: PositiveInt
    affine: bool

    def width(self, stage: int) -> int:
        """Return the channels of a stage; they double where the map halves."""
        channels: int = self.channels * 2**stage
        return channels


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


def stem(task: Task, form: Form) -> nn.Module:
    """Return a convolution, norm and ReLU."""
    convolution = nn.Conv2d(task.input_shape[0], form.channels, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(form.channels, affine=form.affine), nn.ReLU())


def block(form: Form, stage: int, position: int, drop_path: DropPath) -> Block:
    """Return the block at a position of a stage; the first of the later stages halves the map."""
    halves = stage > 0 and position == 0
    c_in, c_out = form.width(stage - 1 if halves else stage), form.width(stage)
    return Block(c_in, c_out, 2 if halves else 1, form.affine, drop_path)


def classifier(task: Task, form: Form) -> nn.Module:
    """Return the linear layer after the last stage."""
    return nn.Linear(form.width(FORMAT.stages - 1), task.num_outputs)


class ResNet(StagesSpace):
    """1 to ``deepest`` blocks in each of three stages."""

    def __init__(self, task: Task, *, deepest: PositiveInt, search: Form, final: Form) -> None:
        parts, forms = Parts(stem, block, classifier), {"search": search, "final": final}
        super().__init__(task, deepest, FORMAT, forms, parts, halvings=0)  # a map of odd size is rounded up
