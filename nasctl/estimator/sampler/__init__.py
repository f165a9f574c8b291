"""Samplers of shared weights: whose paths a weight step trains."""

from nasctl.estimator.sampler._paths import Path, PathSampler, Stateless, WeightStep

__all__ = ["Path", "PathSampler", "Stateless", "WeightStep"]
