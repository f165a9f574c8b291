"""The interval of a proportion that cannot fall short: Clopper and Pearson 1934, https://doi.org/10.2307/2331986."""

from __future__ import annotations


def exact(successes: int, trials: int, level: float) -> tuple[float, float]:
    """Return the bounds of the probability of success; ``trials`` is 1 or more."""
    from scipy.special import betaincinv

    tail, failures = (1 - level) / 2, trials - successes
    low = float(betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return low, high


def unseen(trials: int, level: float) -> float:
    """Return the upper bound of the probability of what happened in none of ``trials``, one-sided."""
    return float(1 - (1 - level) ** (1 / trials))
