"""The metrics of an architecture whose quality is declared: neither data nor a table was read."""

from __future__ import annotations

from nasctl.core import Metrics

ERROR_KIND = "synthetic"


def declared(accuracy: float) -> Metrics:
    """Return the metrics of an architecture that has ``accuracy``, in [0, 1], by declaration."""
    return {"loss": 1 - accuracy, "accuracy": accuracy, "error": 100 * (1 - accuracy)}
