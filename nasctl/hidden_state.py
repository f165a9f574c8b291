"""The hidden state of a recurrent network: tensors in lists and tuples, of a shape that is the network's own."""

from __future__ import annotations

from typing import Any

import torch


def detached(hidden: Any, device: torch.device | None = None) -> Any:
    """Return the tensors of a hidden state without their graphs, on ``device`` if one is given; None stays None."""
    if isinstance(hidden, list | tuple):
        return type(hidden)(detached(part, device) for part in hidden)
    return hidden if hidden is None else hidden.detach().to(device or hidden.device)
