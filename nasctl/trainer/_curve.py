"""Curves from the rate ``lr`` to ``lr_min``, as functions of the share in [0, 1] that is done."""

from __future__ import annotations

import math


def cosine(lr: float, lr_min: float, share: float) -> float:
    """Return the rate on half a cosine."""
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * share)) / 2


def linear(lr: float, lr_min: float, share: float) -> float:
    """Return the rate on a straight line."""
    return lr_min + (lr - lr_min) * (1 - share)


def exponential(lr: float, lr_min: float, share: float) -> float:
    """Return the rate that loses the same factor in equal times; ``by=epoch`` makes steps of it."""
    return float(lr * (lr_min / lr) ** share)
