"""Neural architecture search that a person can run: search, retrain, compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nasctl.source import Loaded


def load(run: str) -> Loaded:
    """Return the genotype and, after a retrain, the trained network of a finished run directory."""
    from nasctl.source import load

    return load(run)
