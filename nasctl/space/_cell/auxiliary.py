"""The auxiliary head: a second classifier in training, on a map after the second reduction."""

from __future__ import annotations

from typing import Literal

from torch import nn

from nasctl.errors import RequestError
from nasctl.layers.norm import Norm


def auxiliary_head(c_in: int, outputs: int, stem: str) -> nn.Sequential:
    """Return the second classifier, on a map of 8x8 (CIFAR) or 7x7 (ImageNet) or more."""
    imagenet = stem == "imagenet"  # its second norm is missing in the paper's experiments
    return nn.Sequential(
        nn.ReLU(),
        nn.AvgPool2d(5, stride=2 if imagenet else 3, padding=0, count_include_pad=False),
        nn.Conv2d(c_in, 128, 1, bias=False),
        Norm(128),
        nn.ReLU(),
        nn.Conv2d(128, 768, 2, bias=False),
        nn.Identity() if imagenet else Norm(768),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(768, outputs),
    )


def wants_head(auxiliary: bool | Literal["auto"], side: int, least: int) -> bool:
    """Return whether a map of ``side`` gets a head, which needs ``least``; `RequestError` if it is asked in vain."""
    if auxiliary is True and side < least:
        raise RequestError(
            f"space.final.auxiliary=true needs a map of {least}x{least}, here it is {side}x{side}; "
            "use auxiliary=auto or auxiliary=false"
        )
    return auxiliary is not False and side >= least
