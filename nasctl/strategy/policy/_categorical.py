"""Samples of independent categorical distributions: tensors ``(replicas, decisions, options)`` in float64.

Options are those of the widest decision; the missing ones of the others have probability 0.
"""

from __future__ import annotations

import torch
from torch import Tensor


def choose(probabilities: Tensor, uniforms: Tensor, sizes: Tensor) -> Tensor:
    """Return the options ``(replicas, samples, decisions)`` that ``uniforms (replicas, decisions, samples)`` pick.

    ``probabilities`` are ``(replicas, decisions, options)``; an option is chosen by inverting their sum.
    """
    last = torch.arange(probabilities.shape[2]) >= sizes[:, None] - 1  # or missing: nothing lies above it
    thresholds = probabilities.cumsum(-1).masked_fill(last, torch.inf).to(uniforms.dtype)
    chosen, above = torch.zeros_like(uniforms), torch.empty_like(uniforms)
    for threshold in thresholds[..., :-1].unbind(-1):  # for so few options faster than searchsorted
        chosen += torch.ge(uniforms, threshold[..., None], out=above)  # into numbers: booleans take six times as long
    return chosen.long().transpose(1, 2)


def log_probability(log_probabilities: Tensor, archs: Tensor) -> Tensor:
    """Return the log-probabilities ``(replicas, samples)`` of ``archs (replicas, samples, decisions)``."""
    return log_probabilities.gather(2, archs.transpose(1, 2)).sum(1)


def one_hot(archs: Tensor, options: int) -> Tensor:
    """Return ``(..., decisions)`` as ``(..., decisions, options)`` in float64."""
    return torch.nn.functional.one_hot(archs, options).double()
