"""The network compiled by `torch.compile`, where that works."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor, nn

log = logging.getLogger("nasctl")


class Compilation:
    """Calls the compiled network; goes on with the network as it is, and says so once, if compilation fails.

    Compiled and plain kernels round differently, so results differ in the last bits.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.call: Any = torch.compile(model)

    def __call__(self, x: Tensor) -> Any:
        if self.call is self.model:
            return self.model(x)
        try:
            return self.call(x)
        except Exception as error:  # whatever the compiler makes of a network; one of the network's own comes again
            reason = str(error).strip().partition("\n")[0]
            log.warning(
                "trainer.compile: compilation failed (%s: %s); going on without it", type(error).__name__, reason
            )
            self.call = self.model
            return self.model(x)
