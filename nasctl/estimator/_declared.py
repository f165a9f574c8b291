"""What an evaluation says where a quality is declared: neither data nor a table was read."""

from __future__ import annotations

from nasctl.core import Evaluation

ERROR_KIND = "declared"


def declared(accuracy: float) -> Evaluation:
    """Return the evaluation of an architecture that has ``accuracy``, in [0, 1], by declaration."""
    return Evaluation({"loss": 1 - accuracy, "accuracy": accuracy, "error": 100 * (1 - accuracy)})
