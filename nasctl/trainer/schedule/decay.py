"""The learning rate is constant at first, and then multiplied by a factor after each epoch.

Zaremba et al. 2014, https://arxiv.org/abs/1409.2329, section 4.1.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeInt

from nasctl.trainer._schedule import By, Place


class Decay:
    """``lr`` for ``lr_decay_from`` epochs, then ``lr_decay`` times the rate of the epoch before, whatever the end."""

    by: By = "epoch"

    def __init__(
        self, lr: float, *, lr_decay: Annotated[float, Field(gt=0, le=1)], lr_decay_from: NonNegativeInt
    ) -> None:
        self.lr, self.lr_decay, self.lr_decay_from = lr, lr_decay, lr_decay_from

    def rate(self, place: Place) -> float:
        return float(self.lr * self.lr_decay ** max(0, place.epoch + 1 - self.lr_decay_from))
