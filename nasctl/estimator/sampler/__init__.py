"""Samplers of shared weights: whose paths a weight step trains."""
