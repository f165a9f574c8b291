"""Spaces of networks that are made by hand: their only choices are depths."""
