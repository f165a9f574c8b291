"""The learning rate falls on a straight line."""

from __future__ import annotations

from nasctl.trainer._curve import linear
from nasctl.trainer._schedule import Cyclic


class Linear(Cyclic):
    """A straight line from ``lr`` to ``lr_min`` in each cycle."""

    curve = staticmethod(linear)
