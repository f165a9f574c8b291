"""The parts of a network that a recipe may ask for: its drop path, its dropout before the classifier, its heads."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class CompilesStep(Protocol):
    """A recurrent network whose time step can be compiled."""

    def compile_step(self, setting: str) -> None:
        """Compile the step; ``setting`` is named where that fails."""


def part(network: nn.Module, name: str) -> nn.Module | None:
    """Return the module ``drop_path``, ``dropout`` or ``auxiliary`` of a network; None if it has none."""
    return dict(network.named_children()).get(name)
