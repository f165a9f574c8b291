"""The learning rate falls on half a cosine (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983)."""

from __future__ import annotations

from nasctl.trainer._curve import cosine
from nasctl.trainer._schedule import Cyclic


class Cosine(Cyclic):
    """Half a cosine from ``lr`` to ``lr_min`` in each cycle."""

    curve = staticmethod(cosine)
