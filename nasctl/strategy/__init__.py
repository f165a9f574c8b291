"""Strategies: how a space is explored. They know decisions, and neither data, network nor device."""
