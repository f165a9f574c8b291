"""Rewards: metrics to one number, higher is better."""
