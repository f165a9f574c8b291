"""The precision of a training's arithmetic: fp32, or bf16 or fp16 where autocast deems it safe.

Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740; the loss is scaled as in their section 3.2.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from nasctl.core import State
from nasctl.errors import RequestError

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def check_precision(name: str, device: torch.device) -> None:
    """Raise `RequestError` if ``device`` is too slow in a precision to be of use."""
    if name == "fp16" and device.type == "cpu":
        raise RequestError("trainer.precision=fp16 needs a GPU, and the device is a CPU; use fp32 or bf16")


class Precision:
    """Weights stay in fp32; ``fp16`` scales the loss, and skips a step whose gradients overflow."""

    def __init__(self, name: str, device: torch.device) -> None:
        self.device, self.half = device, HALVES.get(name)
        self.scaler = torch.amp.GradScaler(device.type, enabled=name == "fp16")

    def autocast(self) -> torch.autocast:
        """Return the context of a forward pass."""
        return torch.autocast(self.device.type, dtype=self.half, enabled=self.half is not None)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of ``loss``, scaled."""
        self.scaler.scale(loss).backward()

    def step(self, optimizer: torch.optim.Optimizer, weights: Iterable[nn.Parameter], clip: float) -> None:
        """Clip the gradients, without their scale, to norm ``clip``, and let the optimizer step."""
        self.scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(weights, clip)
        self.scaler.step(optimizer)
        self.scaler.update()

    def state_dict(self) -> State:
        return self.scaler.state_dict()

    def load_state_dict(self, state: State) -> None:
        if state:
            self.scaler.load_state_dict(state)
