"""Constraints: a resource and its limit."""
