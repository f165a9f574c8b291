"""Multiply-accumulates of one example."""

from __future__ import annotations

from nasctl.resource._counted import Counted


class Macs(Counted):
    """What the space counts as ``macs``, of the final form."""

    name = unit = "macs"
