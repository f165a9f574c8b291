"""The learning rate loses the same factor in equal times."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from nasctl.trainer._curve import exponential
from nasctl.trainer._schedule import By, Cyclic


class Exponential(Cyclic):
    """A geometric fall from ``lr`` to ``lr_min``, which is positive, in each cycle; with ``by=epoch`` in steps."""

    curve = staticmethod(exponential)

    def __init__(
        self,
        lr: float,
        *,
        lr_min: PositiveFloat,
        by: By,
        warmup: Annotated[float, Field(ge=0, lt=1)],
        restarts: NonNegativeInt,
        restart_factor: PositiveInt,
    ) -> None:
        super().__init__(lr, lr_min=lr_min, by=by, warmup=warmup, restarts=restarts, restart_factor=restart_factor)
