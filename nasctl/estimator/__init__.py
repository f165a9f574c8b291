"""Estimators: what a candidate is worth without its full training."""
