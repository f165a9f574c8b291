"""What a supernet runs on each row: the relaxed mixture, one active option, or a picked architecture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from nasctl.core import Architecture, Candidate

Terms = list[tuple[int, Tensor | None]]
"""Options to run on one row with the weight that multiplies each; no weight means 1."""


def terms(candidate: Candidate, picked: Callable[[Architecture], Sequence[int]]) -> list[Terms]:
    """Return the terms of each row; ``picked`` gives the option per row that an architecture stands for.

    Without weights only the picked option of a row stands here, so a picked path costs only that path.
    """
    if candidate.weights is None:
        return [[(option, None)] for option in picked(candidate.arch)]
    if candidate.active is None:
        return [list(enumerate(row.unbind())) for row in candidate.weights]
    return [[(k, row[k])] for row, k in zip(candidate.weights, candidate.active, strict=True)]
