"""The gradient of a relaxed architecture: how far the step of the weights is looked ahead."""

from nasctl.estimator.unroll._bilevel import Bilevel, Mixtures, Unroll, VirtualStep

__all__ = ["Bilevel", "Mixtures", "Unroll", "VirtualStep"]
