"""Curves from one rate to another, as functions of the share in [0, 1] that is done."""

from __future__ import annotations

import math


def cosine(lr: float, lr_min: float, share: float) -> float:
    """Return the rate on half a cosine."""
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * share)) / 2
