"""Zero-cost scores: what an untrained network is worth."""

from nasctl.estimator.score._untrained import Score, Untrained

__all__ = ["Score", "Untrained"]
