"""The interval of a quotient of two independent means.

Fieller 1954, Journal of the Royal Statistical Society B 16, https://doi.org/10.1111/j.2517-6161.1954.tb00159.x.
"""

from __future__ import annotations

import math


def fieller(above: float, below: float, errors: tuple[float, float], t: float) -> tuple[float, float] | None:
    """Return the quotients q for which ``above - q below`` is within ``t`` of its standard errors of zero.

    ``errors`` are the standard errors of the two means. None where these quotients have no bounds, because ``below``
    itself is within ``t`` of its standard errors of zero.
    """
    square = below**2 - (t * errors[1]) ** 2
    if square <= 0:
        return None
    middle = above * below / square
    half = t * math.sqrt((above * errors[1]) ** 2 + square * errors[0] ** 2) / square
    return middle - half, middle + half
