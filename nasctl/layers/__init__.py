"""Torch modules that several spaces build their networks from."""
