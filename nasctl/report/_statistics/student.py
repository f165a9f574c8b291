"""Student's distribution (1908, Biometrika 6), from scipy.special: scipy.stats would add half a second of start-up."""

from __future__ import annotations


def quantile(level: float, freedom: float) -> float:
    """Return the t such that Student's variable of ``freedom`` lies within ± t with probability ``level``."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))


def two_sided(t: float, freedom: float) -> float:
    """Return the probability that Student's variable of ``freedom`` is as far from zero as ``t``, on either side."""
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(t)))
