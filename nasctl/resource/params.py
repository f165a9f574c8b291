"""Trainable weights, without an auxiliary head."""

from __future__ import annotations

from nasctl.resource._counted import Counted


class Params(Counted):
    """What the space counts as ``params``, of the final form."""

    name = unit = "params"
